//! `check-register`: the conformance kit for servers that implement `identityregister.v1`.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, anyhow, bail};
use clap::Args;
use serde::Deserialize;
use temporary_pin::register::RegisterSettings;
use temporary_pin::register::conformance::{self, KnownData};

#[derive(Args)]
pub(crate) struct CheckRegisterArguments {
    /// TOML file of persons and documents that the register knows, and what it must answer; docs/register.md describes it.
    /// Without it only malformed requests are checked.
    #[arg(long, value_name = "FILE")]
    people: Option<PathBuf>,
    /// Print failed checks only.
    #[arg(long)]
    quiet: bool,
}

/// The part of the configuration file that this command needs. The rest may be missing.
#[derive(Deserialize)]
struct RegisterConfig {
    register: RegisterSettings,
}

/// Checks the register that section `[register]` of the file names. Fails if a check fails.
#[tokio::main(flavor = "current_thread")]
pub(crate) async fn run(config: Option<PathBuf>, arguments: &CheckRegisterArguments) -> anyhow::Result<()> {
    let config = config.ok_or_else(|| anyhow!("--config: is required"))?;
    let text = fs::read_to_string(&config).with_context(|| format!("--config: cannot read {}", config.display()))?;
    let RegisterConfig { register } = toml::from_str(&text).context("--config")?;
    let known = match &arguments.people {
        None => KnownData::default(),
        Some(file) => read_known_data(file)?,
    };
    // The service's own warnings name the field of an answer that it does not understand.
    let warnings = tracing_subscriber::fmt().with_writer(std::io::stderr).with_max_level(tracing::Level::WARN);
    warnings.with_ansi(false).without_time().with_target(false).init();
    let report = conformance::check(register, &known).await?;
    for check in &report.checks {
        match &check.problem {
            Some(problem) => println!("FAILED  {}: {}: {problem}", check.subject, check.demand),
            None if arguments.quiet => {}
            None => println!("passed  {}: {}", check.subject, check.demand),
        }
    }
    let (all, failed) = (report.checks.len(), report.failed());
    println!("{} checks passed, {failed} failed", all - failed);
    if failed > 0 {
        bail!("the register does not keep the contract");
    }
    Ok(())
}

/// Error messages name the entry and the line, not the values.
fn read_known_data(file: &PathBuf) -> anyhow::Result<KnownData> {
    let text = fs::read_to_string(file).with_context(|| format!("--people: cannot read {}", file.display()))?;
    let known: KnownData =
        toml::from_str(&text).map_err(|error| anyhow!("--people: {}: {}", file.display(), error.message()))?;
    known.check().map_err(|problem| anyhow!("--people: {problem}"))?;
    Ok(known)
}

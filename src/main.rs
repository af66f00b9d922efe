//! The command line of the temporary-PIN service.

mod audit_command;
mod keys_command;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use secrecy::ExposeSecret as _;
use temporary_pin::audit::VerifyError;
use temporary_pin::config::{Config, ConfigError};
use temporary_pin::server::expiry::{self, Expiry};
use temporary_pin::{server, store, telemetry};
use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};

use audit_command::AuditCommand;
use keys_command::KeysCommand;

/// Hands out MitID's temporary PIN code.
#[derive(Parser)]
#[command(version, arg_required_else_help = true)]
struct Cli {
    /// Configuration file; deploy/temporary-pin.toml documents every key.
    ///
    /// A variable TEMPORARY_PIN__SECTION__KEY overrides section.key of the file.
    #[arg(long, env = "TEMPORARY_PIN_CONFIG", value_name = "FILE", global = true)]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve until SIGTERM or SIGINT, then let running calls end.
    Serve,
    /// Bring the database's schema up to date.
    Migrate,
    /// The key ring.
    #[command(subcommand)]
    Keys(KeysCommand),
    /// The audit: what is on record, and whether it is as it was written.
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Check the configuration, and the files that it names, without connecting anywhere.
    CheckConfig,
}

fn main() -> ExitCode {
    // Redis, HTTP and gRPC clients all take the process's provider; with none set, their first TLS connection panics.
    let provider = rustls::crypto::aws_lc_rs::default_provider().install_default();
    debug_assert!(provider.is_ok(), "main comes first");
    match run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("temporary-pin: {error:#}");
            ExitCode::from(status(&error))
        }
    }
}

fn status(error: &anyhow::Error) -> u8 {
    match error.downcast_ref::<VerifyError>() {
        Some(VerifyError::Tampered(_)) => 3,
        // 2 is also what a wrong command line ends with: asking again without a change does not help.
        _ if error.is::<ConfigError>() => 2,
        _ => 1,
    }
}

fn run(cli: Cli) -> anyhow::Result<()> {
    let config = || Config::load(cli.config.as_deref(), std::env::vars_os());
    match cli.command {
        Command::Serve => serve(config()?),
        Command::Migrate => migrate(&config()?),
        Command::Keys(command) => command.run(config),
        Command::Audit(command) => audit_command::run(command, &config()?),
        Command::CheckConfig => check_config(cli.config.as_deref(), &config()?),
    }
}

fn serve(config: Config) -> anyhow::Result<()> {
    let threads = config.server.threads;
    // On one thread what is ready runs in turn, so that what several calls send at a moment goes out in one write.
    let mut builder = if threads == 1 { Builder::new_current_thread() } else { Builder::new_multi_thread() };
    builder.worker_threads(threads).enable_all().build()?.block_on(serve_until_told(config))
}

async fn serve_until_told(config: Config) -> anyhow::Result<()> {
    let telemetry = telemetry::start(&config.telemetry)?;
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let shutdown = async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("asked to end");
    };
    let result = server::serve(config, shutdown).await;
    telemetry.shutdown().await;
    result
}

#[tokio::main(flavor = "current_thread")]
async fn migrate(config: &Config) -> anyhow::Result<()> {
    let pool = store::connect(config.postgres.url.expose_secret(), &config.postgres.pool)?;
    store::migrate(&pool).await?;
    store::audit::audit_seals::set_retention(&pool, config.retention.audit_events).await?;
    println!("the schema is up to date");
    if let Some(role) = &config.postgres.service_role {
        store::rights::grant(&pool, role).await.context("postgres.service_role")?;
        println!("{role} may do what the service needs, and nothing else");
    }
    Ok(())
}

fn check_config(file: Option<&Path>, config: &Config) -> anyhow::Result<()> {
    config.key_ring()?;
    let expiries = config.server.tls.as_ref().map(expiry::read).transpose();
    let expiries = expiries.map_err(|error| ConfigError(vec![format!("{error:#}")]))?.unwrap_or_default();
    let callers: Vec<&str> = config.callers.iter().map(|caller| caller.name.as_str()).collect();
    println!("settings: valid ({}, environment)", file.map_or("no file".into(), Path::to_string_lossy));
    println!("secrets:  read");
    println!("TLS:      certificate, key and client CAs read");
    for Expiry { role, name, not_after } in expiries {
        println!("          {role} {name} is good until {not_after}");
    }
    println!("key ring: read ({})", config.keys.file.display());
    println!("callers:  {}", callers.join(", "));
    println!("Not checked: whether Postgres, Redis, the register, the issuers and the gateway answer.");
    Ok(())
}

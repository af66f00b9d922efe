//! `temporary-pin check-login`: says which check of the service a real token fails, and which setting would take it.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::Args;
use temporary_pin::clock::{Clock as _, SystemClock};
use temporary_pin::config::Config;
use temporary_pin::login::{IdTokenVerifier, Subjects, WebLoginTokens};
use tokio::runtime::Builder;

/// The tokens to check.
#[derive(Args)]
pub(crate) struct CheckLogin {
    /// File that holds the ID token.
    token_file: PathBuf,
    /// File that holds the userinfo token of the same login.
    #[arg(long, value_name = "FILE")]
    userinfo_token: Option<PathBuf>,
    /// The nonce that was sent with the login. Without it, the nonce is not checked.
    #[arg(long, default_value = "", hide_default_value = true)]
    nonce: String,
    /// Check it as an agent's token: by [agent_login] instead of [web_login].
    #[arg(long)]
    agent: bool,
}

pub(crate) fn run(arguments: &CheckLogin, config: &Config) -> anyhow::Result<()> {
    let rules = &config.rules.verification;
    let (section, issuers, subjects, login_age) = if arguments.agent {
        ("agent_login", &config.agent_login, Subjects::Agents, rules.agent_login_age)
    } else {
        ("web_login", &config.web_login, Subjects::Persons, rules.login_age)
    };
    let id_token = read_token(&arguments.token_file)?;
    let userinfo_token = arguments.userinfo_token.as_deref().map(read_token).transpose()?;
    let http = reqwest::Client::builder().user_agent(env!("CARGO_PKG_NAME")).build()?;
    let verifier = IdTokenVerifier::new(issuers.0.clone(), subjects, &http)?;
    let tokens =
        WebLoginTokens { id_token: &id_token, userinfo_token: userinfo_token.as_deref(), nonce: &arguments.nonce };
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let findings = runtime.block_on(verifier.examine(&tokens, subjects, SystemClock.now(), login_age));

    println!("Checked as [{section}] says. No value of a claim is shown.");
    for finding in &findings {
        match &finding.problem {
            None => println!("  passes  {}", finding.check),
            Some((problem, advice)) => println!("  FAILS   {}: {problem}\n          {advice}", finding.check),
        }
    }
    if findings.iter().any(|finding| finding.problem.is_some()) {
        bail!("the service would refuse this login");
    }
    println!("The service would accept this login{}.", if arguments.nonce.is_empty() { " with its nonce" } else { "" });
    Ok(())
}

/// Reads a token. The error names the file and nothing of its content.
fn read_token(file: &Path) -> anyhow::Result<String> {
    let text = fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    Ok(text.trim().to_owned())
}

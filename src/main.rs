//! The command line of the temporary-PIN service.

mod commands;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use temporary_pin::audit::VerifyError;
use temporary_pin::config::{Config, ConfigError};

use commands::audit::AuditCommand;
use commands::check_login::CheckLogin;
use commands::check_register::CheckRegisterArguments;
use commands::keys::KeysCommand;
use commands::{audit, check_config, check_login, check_register, migrate, serve};

/// Exit codes. A wrong command line ends with 2 as well: to repeat it without a change does not help either.
const EXIT_FAILURE: u8 = 1;
const EXIT_BAD_CONFIGURATION: u8 = 2;
const EXIT_AUDIT_TAMPERED: u8 = 3;

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
    /// Check that a register keeps the contract identityregister.v1; for those who implement it.
    CheckRegister(CheckRegisterArguments),
    /// Say which check a login's ID token fails, and which setting would take it. Fetches the issuer's keys.
    CheckLogin(CheckLogin),
}

fn main() -> ExitCode {
    // The clients of Redis, HTTP and gRPC use the process's default provider. Without one, their first TLS connection
    // panics.
    let provider = rustls::crypto::aws_lc_rs::default_provider().install_default();
    debug_assert!(provider.is_ok(), "main comes first");
    match run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("temporary-pin: {error:#}");
            ExitCode::from(exit_code(&error))
        }
    }
}

fn exit_code(error: &anyhow::Error) -> u8 {
    match error.downcast_ref::<VerifyError>() {
        Some(VerifyError::Tampered(_)) => EXIT_AUDIT_TAMPERED,
        _ if error.is::<ConfigError>() => EXIT_BAD_CONFIGURATION,
        _ => EXIT_FAILURE,
    }
}

fn run(cli: Cli) -> anyhow::Result<()> {
    let load_config = || Config::load(cli.config.as_deref(), std::env::vars_os());
    match cli.command {
        Command::Serve => serve::run(load_config()?),
        Command::Migrate => migrate::run(&load_config()?),
        Command::Keys(command) => command.run(load_config),
        Command::Audit(command) => audit::run(command, &load_config()?),
        Command::CheckRegister(arguments) => check_register::run(cli.config, &arguments),
        Command::CheckLogin(arguments) => check_login::run(&arguments, &load_config()?),
        Command::CheckConfig => check_config::run(cli.config.as_deref(), &load_config()?),
    }
}

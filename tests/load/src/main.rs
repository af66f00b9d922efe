//! Load for a running service, and the bench that compares it with what hardware, Postgres, Redis and tonic allow.

mod bare;
mod bench;
mod calls;
mod clients;
mod deliveries;
mod drive;
mod installation;
mod process;
mod report;
mod scenario;
mod world;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

/// Load for a running temporary-PIN service.
///
/// The load is also the world around the service: identity register, issuers of ID tokens, SMS gateway. `install` makes
/// a configuration that points the service to them.
#[derive(Parser)]
#[command(name = "temporary-pin-load")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Makes certificates and a configuration for a service that is to be measured.
    Install(installation::Install),
    /// Makes calls and reports what came of them.
    Run(Box<scenario::Run>),
    /// Serves IssueTemporaryPin with an answer that is always the same: what gRPC and TLS alone cost.
    Bare(bare::Bare),
    /// Measures the service beside fixed yardsticks, in turn, and writes the report. `deploy/local/bench` runs it.
    Bench(Box<bench::BenchArguments>),
}

/// Where the world around the service answers.
// Ports below 32768, here and in the bench: Linux gives higher ports to clients, and a used port stays taken for a minute.
#[derive(Args, Clone)]
pub(crate) struct WorldAddresses {
    /// Issuers and SMS gateway.
    #[arg(long, default_value = "127.0.0.1:15061")]
    pub(crate) http_address: SocketAddr,
    /// Identity register.
    #[arg(long, default_value = "127.0.0.1:15062")]
    pub(crate) register_address: SocketAddr,
}

impl WorldAddresses {
    /// The URL of the issuers and the SMS gateway.
    pub(crate) fn http_url(&self) -> String {
        format!("http://{}", self.http_address)
    }
}

/// The processes whose cost is to be known.
#[derive(Args, Clone, Default)]
pub(crate) struct Processes {
    /// The service's process id.
    #[arg(long)]
    pub(crate) service_pid: Option<u32>,
    /// Postgres' first process id, the postmaster's.
    #[arg(long)]
    pub(crate) postgres_pid: Option<u32>,
    /// Redis' process id.
    #[arg(long)]
    pub(crate) redis_pid: Option<u32>,
}

/// Where a result is written besides the terminal.
#[derive(Args, Clone)]
pub(crate) struct Output {
    /// A file for the result as JSON.
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
}

// One thread makes tens of thousands of calls a second, and leaves the other cores to the measured processes.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let Arguments { command } = Arguments::parse();
    // TLS clients use the provider of the process.
    let provider = rustls::crypto::aws_lc_rs::default_provider().install_default();
    debug_assert!(provider.is_ok(), "no provider was installed before");
    let outcome = match command {
        Command::Install(install) => installation::install(&install),
        Command::Run(run) => scenario::run(&run).await,
        Command::Bare(bare) => bare::serve(&bare).await,
        Command::Bench(bench) => bench::run(&bench).await,
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("temporary-pin-load: {error:#}");
            ExitCode::FAILURE
        }
    }
}

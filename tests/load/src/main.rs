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
/// The program also plays the identity register, the issuers of ID tokens and the SMS gateway. `install` makes a
/// configuration that points the service to them.
#[derive(Parser)]
#[command(name = "temporary-pin-load")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Makes certificates and a configuration for the service to measure.
    Install(installation::Install),
    /// Makes calls, and reports their outcomes and their cost.
    Run(Box<scenario::Run>),
    /// Serves constant answers, to measure the cost of gRPC and TLS alone.
    Bare(bare::BareArguments),
    /// Measures the service and fixed yardsticks in turn, and writes the report. `deploy/local/bench` runs it.
    Bench(Box<bench::BenchArguments>),
}

/// The addresses on which the program serves.
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

/// The processes whose CPU time and memory are measured.
#[derive(Args, Clone, Default)]
pub(crate) struct Processes {
    /// The service's process id.
    #[arg(long)]
    pub(crate) service_pid: Option<u32>,
    /// The process id of Postgres' postmaster.
    #[arg(long)]
    pub(crate) postgres_pid: Option<u32>,
    /// Redis' process id.
    #[arg(long)]
    pub(crate) redis_pid: Option<u32>,
}

/// Where the result is written, besides the terminal.
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
    debug_assert!(provider.is_ok(), "a provider was installed before");
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

//! A little made-up world around the real service, for trying it and for testing against it: people, registers,
//! issuers, an SMS gateway, phones and a clock that can be moved. Never part of the production binary.

mod demo;
mod fields;
mod http;
mod logins;
mod outbox;
mod page;
mod question_draws;
mod scratch;
mod service;
mod world;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use made_up_world::certificates::Certificates;
use made_up_world::people;
use temporary_pin::telemetry;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

#[derive(Parser)]
#[command(name = "sandbox", about = "The temporary-PIN service in a made-up world")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serves the world until SIGTERM or SIGINT. Prints one line on stdout when it is ready.
    Serve(ServeArguments),
    /// Makes a certificate authority for development, and a certificate for the service and for each caller.
    Certificates {
        /// Directory to write to; what was made there before is replaced.
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
    /// Plays the product's three stories against a running sandbox.
    Demo(demo::DemoArguments),
}

/// What `sandbox serve` takes.
#[derive(Args)]
pub(crate) struct ServeArguments {
    /// Where the service answers. Port 0: any free one.
    #[arg(long, default_value = "127.0.0.1:50051", value_parser = loopback)]
    grpc_address: SocketAddr,
    /// Where the service answers over mutual TLS, as in production. Port 0: any free one.
    #[arg(long, default_value = "127.0.0.1:50052", value_parser = loopback)]
    tls_address: SocketAddr,
    /// Directory for the certificates of mutual TLS, which are made anew. Without it, one that goes when the sandbox stops.
    #[arg(long, value_name = "DIR")]
    certificates: Option<PathBuf>,
    /// Where the sandbox's own HTTP interface answers. Port 0: any free one.
    #[arg(long, default_value = "127.0.0.1:8025", value_parser = loopback)]
    http_address: SocketAddr,
    /// A Postgres server, as a superuser. The sandbox makes a database and two roles of its own there.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    database_url: String,
    /// A Redis server. The sandbox's keys have a prefix of their own there.
    #[arg(long, env = "REDIS_URL", hide_env_values = true)]
    redis_url: String,
    /// How many ordinary persons there are beside the cast.
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u32).range(..=i64::from(people::MAX_GENERATED_PERSONS)))]
    people: u32,
    /// What those persons are made from, and questions drawn from: the same seed makes the same persons, and asks each of
    /// them the same questions in the same order. Without it, the persons are those of seed 1, and nobody can foresee the
    /// questions.
    #[arg(long)]
    seed: Option<u64>,
    /// Most calls that the service takes at once, to see what one more is answered.
    #[arg(long)]
    max_calls: Option<usize>,
}

#[tokio::main]
async fn main() -> ExitCode {
    let Arguments { command } = Arguments::parse();
    let outcome = match command {
        Command::Serve(arguments) => serve(arguments).await,
        Command::Certificates { out } => Certificates::make(&out).map(|_| println!("{}", out.display())),
        Command::Demo(arguments) => demo::play(&arguments).await,
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("sandbox: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(arguments: ServeArguments) -> anyhow::Result<()> {
    // As in the production binary: the clients take the process's provider.
    let provider = rustls::crypto::aws_lc_rs::default_provider().install_default();
    debug_assert!(provider.is_ok(), "nothing has set one before");
    let mut settings = telemetry::TelemetrySettings::default();
    if let Ok(log) = std::env::var("RUST_LOG") {
        settings.log = log;
    }
    let telemetry = telemetry::start(&settings)?;
    let stop = CancellationToken::new();
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let stopped = stop.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => (),
            _ = interrupt.recv() => (),
        }
        stopped.cancel();
    });
    let served = world::serve(arguments, stop).await;
    telemetry.shutdown().await;
    served
}

/// The sandbox speaks plaintext and knows no caller it could not be told to trust: it stays on this machine.
fn loopback(text: &str) -> Result<SocketAddr, String> {
    match text.parse::<SocketAddr>() {
        Ok(address) if address.ip().is_loopback() => Ok(address),
        Ok(_) => Err("must be a loopback address, such as 127.0.0.1:50051".to_owned()),
        Err(_) => Err("must be an IP address and a port, such as 127.0.0.1:50051".to_owned()),
    }
}

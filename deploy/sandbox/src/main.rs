//! Runs the real service in a made-up world, to try it and to test against it: people, an identity register, issuers of
//! logins, an SMS gateway, phones, and a clock that can be moved. Never part of the production binary.

mod demo;
mod http;
mod logins;
mod outbox;
mod page;
mod person_changes;
mod question_draws;
mod register_records;
mod request_body;
mod scratch;
mod serve;
mod service;
mod world;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use made_up_world::certificates::Certificates;
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
    Serve(serve::ServeArguments),
    /// Makes a certificate authority for development, and a certificate for the service and for each caller.
    Certificates {
        /// The directory to write to. Certificates that were made there before are replaced.
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
    /// Plays the demo against a running sandbox: one story for each channel.
    Demo(demo::DemoArguments),
}

#[tokio::main]
async fn main() -> ExitCode {
    let Arguments { command } = Arguments::parse();
    let outcome = match command {
        Command::Serve(arguments) => serve(arguments).await,
        Command::Certificates { out } => Certificates::make(&out).map(|_| println!("{}", out.display())),
        Command::Demo(arguments) => demo::run(&arguments).await,
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("sandbox: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(arguments: serve::ServeArguments) -> anyhow::Result<()> {
    // The HTTP clients use the provider of the process, as in the production binary.
    let provider = rustls::crypto::aws_lc_rs::default_provider().install_default();
    debug_assert!(provider.is_ok(), "a provider was installed before");
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
    let served = serve::serve(arguments, stop).await;
    telemetry.shutdown().await;
    served
}

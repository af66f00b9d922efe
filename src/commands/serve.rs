//! `temporary-pin serve`: serves until SIGTERM or SIGINT.

use temporary_pin::config::Config;
use temporary_pin::{server, telemetry};
use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};

pub(crate) fn run(config: Config) -> anyhow::Result<()> {
    let threads = config.server.threads;
    // On a single thread, tasks that are ready run one after the other, so what several calls send goes out in one write.
    let mut builder = if threads == 1 { Builder::new_current_thread() } else { Builder::new_multi_thread() };
    builder.worker_threads(threads).enable_all().build()?.block_on(serve_until_signal(config))
}

async fn serve_until_signal(config: Config) -> anyhow::Result<()> {
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

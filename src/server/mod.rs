//! Assembles the service from its parts, serves callers, and shuts down in order.

mod assemble;
mod background;
pub mod certificates;
mod gateways;
mod health_monitor;
mod http2;
pub mod listener;
mod mutual_tls;
mod purge;
pub mod reload;
pub mod transport;

use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;

use anyhow::Context as _;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use opentelemetry::global;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::issuance::QuestionDraws;
use crate::{grpc, random};
use background::BackgroundTasks;
use health_monitor::HealthMonitor;
use listener::{ConnectionServer, Listener, bind};

pub use assemble::{ServiceParts, assemble};

/// Serves callers over mutual TLS until `shutdown` completes and running calls have ended.
///
/// # Errors
/// If the address cannot be bound, the certificates cannot be read, or [`run`] fails.
pub async fn serve(config: Config, shutdown: impl Future<Output = ()>) -> anyhow::Result<()> {
    let socket = bind("server.address", config.server.address).await?;
    tracing::info!(address = %socket.local_addr()?, "listening");
    let listener = Listener::mutual_tls(socket, &config)?;
    let question_draws = Arc::new(|_| Box::new(random::secure()) as _);
    run(&config, Arc::new(SystemClock), question_draws, vec![listener], shutdown).await
}

/// Serves the callers that connect to `listeners`, on the runtime of the current task. The arguments are what differs
/// between production and the sandbox: the clock, the randomness of questions, and the listeners.
///
/// # Errors
/// If a part cannot be made from the configuration, or if the database role has too many rights.
pub async fn run(
    config: &Config,
    clock: Arc<dyn Clock>,
    question_draws: Arc<QuestionDraws>,
    mut listeners: Vec<Listener>,
    shutdown: impl Future<Output = ()>,
) -> anyhow::Result<()> {
    let parts = assemble(config, Arc::clone(&clock), question_draws).await?;
    let metrics = parts.metrics;
    let calls = TaskTracker::new();
    let context = Arc::new(grpc::ServiceContext {
        dependencies: Arc::clone(&parts.dependencies),
        keys: Arc::clone(&parts.keys),
        clock: Arc::clone(&clock),
        calls: calls.clone(),
        message_limit: config.server.message_limit,
    });
    let settings = grpc::EdgeSettings {
        default_deadline: config.server.default_deadline,
        max_calls: config.server.max_calls,
        reflection: config.server.reflection,
    };
    let (routes, health) = grpc::routes(context, metrics.clone(), settings).await?;

    // `draining` ends the acceptance of calls, `stop` ends the background work.
    let (draining, stop) = (CancellationToken::new(), CancellationToken::new());
    let mut background = BackgroundTasks::new();
    let (store, guard) = (parts.dependencies.store.clone(), parts.dependencies.guard.clone());
    let monitor = HealthMonitor::new(&config.postgres, store.clone(), Arc::clone(&parts.keys), guard)?;
    background.spawn("the check of the health", draining.clone(), monitor.run(health, draining.clone()));
    // Ends only by `stop`.
    let start = |name, task: BoxFuture<'static, ()>| {
        background.spawn(name, stop.clone(), task.map(Ok::<_, Infallible>));
    };
    let wake = Arc::clone(&parts.dependencies.dispatcher_wake);
    start("the dispatcher", parts.dispatcher.run(parts.handover_queue, wake, stop.clone()).boxed());
    start("the sealing of the audit", parts.sealer.run(config.audit.seal_interval, stop.clone()).boxed());
    let (retention, keys) = (config.retention.clone(), Arc::clone(&parts.keys));
    start(
        "the purge",
        purge::purge_regularly(store.clone(), keys, retention, Arc::clone(&clock), stop.clone()).boxed(),
    );
    let mut watched_files = vec![parts.key_files];
    watched_files.extend(parts.token_files);
    for upkeep in listeners.iter_mut().filter_map(|listener| listener.certificates.take()) {
        upkeep.expiry_monitor.register_metric(&global::meter(env!("CARGO_PKG_NAME")), Arc::clone(&clock));
        let warning = certificates::warn_of_expiry(upkeep.expiry_monitor, Arc::clone(&clock), stop.clone());
        start("the check of certificates", warning.boxed());
        watched_files.push(upkeep.files);
    }
    let hangup = signal(SignalKind::hangup()).context("SIGHUP")?;
    let reload_interval = config.server.reload_interval;
    let watching = reload::watch_files(watched_files, hangup, reload_interval, metrics.clone(), stop.clone());
    start("the reloading of files", watching.boxed());

    // Shutdown in order: health turns to NOT_SERVING, so that callers go elsewhere; running calls end, also those whose
    // caller has disconnected; then the background work ends, the dispatcher between two messages.
    let start_drain = async {
        shutdown.await;
        tracing::info!("stopping");
        draining.cancel();
    };
    let server = ConnectionServer::new(&config.server.connections, routes, metrics, draining.clone());
    let all_calls_ended = async {
        tokio::join!(server.serve(listeners), start_drain);
        calls.close();
        calls.wait().await;
    };
    let drain_time_over = async {
        draining.cancelled().await;
        tokio::time::sleep(config.server.drain).await;
    };
    let result = tokio::select! {
        () = all_calls_ended => Ok(()),
        error = background.failure() => Err(error),
        () = drain_time_over => {
            tracing::warn!("some calls had not ended when the drain time was over");
            Ok(())
        }
    };
    draining.cancel();
    stop.cancel();
    if !background.have_ended_within(config.server.drain).await {
        tracing::warn!("the dispatcher had not ended when the drain time was over");
    }
    // With a time-out, because a Postgres that does not answer must not keep the process from ending.
    let _ = tokio::time::timeout(config.server.drain, store.close()).await;
    result
}

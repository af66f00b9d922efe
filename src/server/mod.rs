//! Puts the parts together and serves.

mod assemble;
pub mod expiry;
mod health;
mod http2;
pub mod listener;
pub mod reload;
mod tls;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use opentelemetry::global;
use sqlx::PgPool;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::issuance::QuestionDraws;
use crate::keys::KeyRing;
use crate::store::StoreError;
use crate::store::upkeep::purge::Retention;
use crate::{audit, grpc, random, store};
use listener::{Listener, Server, bind};
use reload::Current;

pub use assemble::{Parts, assemble};

/// How often old rows are deleted.
const PURGE_INTERVAL: Duration = Duration::from_secs(3600);

/// Serves callers over mutual TLS until `shutdown` completes and running calls have ended.
pub async fn serve(config: Config, shutdown: impl Future<Output = ()>) -> anyhow::Result<()> {
    let socket = bind("server.address", config.server.address).await?;
    tracing::info!(address = %socket.local_addr()?, "listening");
    let listener = Listener::mutual_tls(socket, &config)?;
    let question_draws = Arc::new(|_| Box::new(random::secure()) as _);
    run(&config, Arc::new(SystemClock), question_draws, vec![listener], shutdown).await
}

/// Serves those who connect. What differs between production and the sandbox is passed in: the clock, what questions are
/// drawn with, and where callers connect; the runtime is that of whoever calls this.
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
    let context = Arc::new(grpc::Context {
        issuance: parts.issuance.clone(),
        keys: Arc::clone(&parts.keys),
        clock: Arc::clone(&clock),
        calls: calls.clone(),
        message_limit: config.server.message_limit,
    });
    let settings = grpc::Settings {
        default_deadline: config.server.default_deadline,
        max_calls: config.server.max_calls,
        reflection: config.server.reflection,
    };
    let (routes, health) = grpc::routes(context, metrics.clone(), settings).await?;

    let (draining, stop) = (CancellationToken::new(), CancellationToken::new());
    let work = TaskTracker::new();
    let (store, guard) = (parts.issuance.store.clone(), parts.issuance.guard.clone());
    let (refuse, refused) = oneshot::channel();
    let watch = health::watch(health, store.clone(), config.postgres.role_check, guard, draining.clone());
    work.spawn(async {
        if let Err(reason) = watch.await {
            let _ = refuse.send(reason);
        }
    });
    work.spawn(parts.dispatcher.run(Arc::clone(&parts.issuance.wake), stop.clone()));
    work.spawn(parts.sealer.run(config.audit.seal_interval, stop.clone()));
    work.spawn(purge(
        store.clone(),
        Arc::clone(&parts.keys),
        config.retention.clone(),
        Arc::clone(&clock),
        stop.clone(),
    ));
    let mut reloads = vec![parts.reload_keys];
    for certificates in listeners.iter_mut().filter_map(|listener| listener.certificates.take()) {
        certificates.expiries.measure(&global::meter(env!("CARGO_PKG_NAME")), Arc::clone(&clock));
        work.spawn(expiry::warn(certificates.expiries, Arc::clone(&clock), stop.clone()));
        reloads.push(certificates.reload);
    }
    let hangup = signal(SignalKind::hangup()).context("SIGHUP")?;
    work.spawn(reload::watch(reloads, hangup, config.server.reload_interval, metrics.clone(), stop.clone()));
    work.close();

    // Health turns to NOT_SERVING first; calls that run may end, also those whose caller has gone; then the dispatcher
    // stops between two messages.
    let signal = async {
        shutdown.await;
        tracing::info!("stopping");
        draining.cancel();
    };
    let server = Server::new(&config.server.connections, routes, metrics, draining.clone());
    let all_ended = async {
        tokio::join!(server.serve(listeners), signal);
        calls.close();
        calls.wait().await;
    };
    let late = async {
        draining.cancelled().await;
        tokio::time::sleep(config.server.drain).await;
    };
    let served = tokio::select! {
        () = all_ended => Ok(()),
        Ok(reason) = refused => Err(reason),
        () = late => {
            tracing::warn!("some calls had not ended when the drain time was over");
            Ok(())
        }
    };
    draining.cancel();
    stop.cancel();
    if tokio::time::timeout(config.server.drain, work.wait()).await.is_err() {
        tracing::warn!("the dispatcher had not ended when the drain time was over");
    }
    // A Postgres that has fallen silent shall not hold the process.
    let _ = tokio::time::timeout(config.server.drain, store.close()).await;
    served
}

/// Deletes now and then what has served its time.
async fn purge(
    store: PgPool,
    keys: Current<KeyRing>,
    retention: Retention,
    clock: Arc<dyn Clock>,
    stop: CancellationToken,
) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(PURGE_INTERVAL) => {}
            () = stop.cancelled() => return,
        }
        let now = clock.now();
        let purged = async {
            let audit = audit::purge(&store, &keys.load_full(), now - retention.audit_events, now).await?;
            Ok::<_, StoreError>(audit + store::upkeep::purge::delete_old_rows(&store, &retention, now).await?)
        };
        match purged.await {
            Ok(rows) => tracing::info!(rows, "purged"),
            Err(error) => tracing::warn!(%error, "the purge broke off"),
        }
    }
}

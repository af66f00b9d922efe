//! Puts the parts together and serves.

mod assemble;
mod health;
pub mod reload;
mod tls;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use futures_util::Stream;
use sqlx::PgPool;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::transport::Server;
use tonic::transport::server::Connected;

use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::grpc::caller::{Caller, CallerResolver, CertificateCallers};
use crate::issuance::QuestionDraws;
use crate::server::reload::Reload;
use crate::store::purge::Retention;
use crate::{grpc, random, store};

/// How often old rows are deleted.
const PURGE_INTERVAL: Duration = Duration::from_secs(3600);

/// Serves callers over mutual TLS until `shutdown` completes and running calls have ended.
pub async fn serve(config: Config, shutdown: impl Future<Output = ()>) -> anyhow::Result<()> {
    let tls = config.server.tls.clone().context("server.tls: needed, because a caller is known by its certificate")?;
    let (tls, reload) = tls::load(tls)?;
    let address = config.server.address;
    let listener =
        TcpListener::bind(address).await.with_context(|| format!("server.address: cannot listen on {address}"))?;
    tracing::info!(address = %listener.local_addr()?, "listening");
    let callers = config
        .callers
        .iter()
        .map(|caller| (Caller { name: caller.name.as_str().into(), roles: caller.roles.clone() }, caller.sans.clone()));
    let callers = Arc::new(CertificateCallers::new(callers));
    let question_draws = Arc::new(|_| Box::new(random::secure()) as _);
    let incoming = tls::incoming(listener, tls);
    run(&config, Arc::new(SystemClock), callers, question_draws, incoming, vec![reload], shutdown).await
}

/// Serves the connections that come in. What differs between production and the sandbox is passed in: the clock, who the
/// callers are, what questions are drawn with, and how callers connect.
pub async fn run<C>(
    config: &Config,
    clock: Arc<dyn Clock>,
    callers: Arc<dyn CallerResolver>,
    question_draws: Arc<QuestionDraws>,
    incoming: impl Stream<Item = std::io::Result<C>>,
    reloads: Vec<Reload>,
    shutdown: impl Future<Output = ()>,
) -> anyhow::Result<()>
where
    C: Connected + AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let parts = assemble::assemble(config, Arc::clone(&clock), question_draws).await?;
    let purge_clock = Arc::clone(&clock);
    let calls = TaskTracker::new();
    let context = Arc::new(grpc::Context { issuance: Arc::clone(&parts.issuance), clock, calls: calls.clone() });
    let settings = grpc::Settings {
        default_deadline: config.server.default_deadline,
        message_limit: config.server.message_limit,
        reflection: config.server.reflection,
    };
    let (routes, health) = grpc::routes(context, callers, parts.metrics.clone(), settings).await?;

    let (draining, stop) = (CancellationToken::new(), CancellationToken::new());
    let work = TaskTracker::new();
    let (store, guard) = (parts.issuance.store.clone(), parts.issuance.guard.clone());
    work.spawn(health::watch(health, store.clone(), guard, draining.clone()));
    work.spawn(parts.dispatcher.run(Arc::clone(&parts.issuance.wake), stop.clone()));
    work.spawn(purge(store.clone(), config.retention.clone(), purge_clock, stop.clone()));
    let hangup = signal(SignalKind::hangup()).context("SIGHUP")?;
    work.spawn(reload::watch(reloads, hangup, config.server.reload_interval, parts.metrics, stop.clone()));
    work.close();

    // Health turns to NOT_SERVING first; calls that run may end, also those whose caller has gone; then the dispatcher
    // stops between two messages.
    let signal = async {
        shutdown.await;
        tracing::info!("stopping");
        draining.cancel();
    };
    let drained = Server::builder().add_routes(routes).serve_with_incoming_shutdown(incoming, signal);
    let all_ended = async {
        drained.await.context("the gRPC server failed")?;
        calls.close();
        calls.wait().await;
        anyhow::Ok(())
    };
    let late = async {
        draining.cancelled().await;
        tokio::time::sleep(config.server.drain).await;
    };
    let served = tokio::select! {
        served = all_ended => served,
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
async fn purge(store: PgPool, retention: Retention, clock: Arc<dyn Clock>, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(PURGE_INTERVAL) => {}
            () = stop.cancelled() => return,
        }
        match store::purge::purge(&store, &retention, clock.now()).await {
            Ok(rows) => tracing::info!(rows, "purged"),
            Err(error) => tracing::warn!(%error, "the purge broke off"),
        }
    }
}

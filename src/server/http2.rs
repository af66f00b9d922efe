//! Serves HTTP/2 on one connection, within its limits and up to its age.
//!
//! This uses hyper's server, not tonic's, for two reasons. tonic closes all connections at the same age, so callers that
//! connected at the same time would all reconnect at the same time. And with a grace period, tonic closes a connection
//! without GOAWAY.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http2::Builder;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use rand::{Rng, RngExt as _};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::sync::CancellationToken;
use tonic::codegen::Service as _;
use tonic::service::Routes;

use crate::config::ConnectionSettings;
use crate::grpc::authentication::CallerResolver;
use crate::random;

/// How much the age of a connection varies, as a fraction, so that callers that connected at the same time do not
/// reconnect at the same time.
const AGE_JITTER: f64 = 0.1;

/// Serves connections. All have the same limits.
pub(super) struct Http2Server {
    builder: Builder<TokioExecutor>,
    age: Duration,
    age_grace: Duration,
    routes: Routes,
}

impl Http2Server {
    pub(super) fn new(settings: &ConnectionSettings, routes: Routes) -> Self {
        let mut builder = Builder::new(TokioExecutor::new());
        builder
            .timer(TokioTimer::new())
            .keep_alive_interval(settings.keepalive_interval)
            .keep_alive_timeout(settings.keepalive_timeout)
            .max_concurrent_streams(settings.streams)
            .max_header_list_size(settings.header_list_size)
            .max_pending_accept_reset_streams(settings.pending_resets)
            .max_local_error_reset_streams(settings.error_resets);
        Self { builder, age: settings.age, age_grace: settings.age_grace, routes: routes.prepare() }
    }

    /// Serves the connection until the peer closes it, it reaches its age, or `draining` is cancelled. In the last two cases
    /// it accepts no new calls, and running calls may end.
    pub(super) async fn serve(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        callers: Arc<dyn CallerResolver>,
        draining: CancellationToken,
    ) {
        let service = service_fn(|mut request: Request<Incoming>| {
            request.extensions_mut().insert(Arc::clone(&callers));
            self.routes.clone().call(request)
        });
        let mut connection = pin!(self.builder.serve_connection(TokioIo::new(stream), service));
        let grace_period = tokio::select! {
            result = connection.as_mut() => return log_error(result),
            () = tokio::time::sleep(add_jitter(self.age, &mut random::secure())) => self.age_grace,
            // `server/mod.rs` limits how long the process waits for its connections.
            () = draining.cancelled() => Duration::MAX,
        };
        connection.as_mut().graceful_shutdown();
        match tokio::time::timeout(grace_period, connection).await {
            Ok(result) => log_error(result),
            Err(_) => tracing::info!("a connection was cut off: its calls had not ended in time"),
        }
    }
}

/// Logs why a connection failed, at debug level, because peers disconnect all the time.
fn log_error(result: hyper::Result<()>) {
    if let Err(error) = result {
        tracing::debug!(%error, "a connection failed");
    }
}

/// The age plus or minus up to [`AGE_JITTER`].
fn add_jitter(age: Duration, rng: &mut impl Rng) -> Duration {
    age.mul_f64(rng.random_range(1.0 - AGE_JITTER..=1.0 + AGE_JITTER))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_differ_by_a_tenth_at_most() {
        let ages: Vec<Duration> =
            (0..1000).map(|_| add_jitter(Duration::from_secs(1000), &mut random::secure())).collect();
        assert!(ages.iter().all(|age| (900..=1100).contains(&age.as_secs())), "{ages:?}");
        assert!(ages.iter().any(|age| age.as_secs() < 920) && ages.iter().any(|age| age.as_secs() > 1080), "{ages:?}");
    }
}

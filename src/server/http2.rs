//! One connection: HTTP/2 with its bounds, and its age.
//!
//! hyper's server rather than tonic's: tonic has one age for all connections, so that callers who connected at once all
//! come back at once, and with a time of grace it ends a connection without GOAWAY.

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

use crate::config::Connections;
use crate::grpc::caller::CallerResolver;
use crate::random;

/// Serves connections, one at a time and all alike.
pub(super) struct Http2 {
    builder: Builder<TokioExecutor>,
    age: Duration,
    age_grace: Duration,
    routes: Routes,
}

impl Http2 {
    pub(super) fn new(settings: &Connections, routes: Routes) -> Self {
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

    /// Serves until the peer goes, or too little is left of the connection's time: then it takes no new calls, and those
    /// that run may end.
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
        let grace = tokio::select! {
            ended = connection.as_mut() => return log(ended),
            () = tokio::time::sleep(jittered(self.age, &mut random::secure())) => self.age_grace,
            // How long the process waits at its end is decided there.
            () = draining.cancelled() => Duration::MAX,
        };
        connection.as_mut().graceful_shutdown();
        match tokio::time::timeout(grace, connection).await {
            Ok(ended) => log(ended),
            Err(_) => tracing::info!("a connection was cut off: its calls had not ended in time"),
        }
    }
}

/// Peers that go without a word are no news; those that break the protocol or fall silent are, where debugging is on.
fn log(ended: hyper::Result<()>) {
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection failed");
    }
}

/// 10 % more or less, so that those who came at once do not come back at once.
fn jittered(age: Duration, rng: &mut impl Rng) -> Duration {
    age.mul_f64(rng.random_range(0.9..=1.1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_differ_by_a_tenth_at_most() {
        let ages: Vec<Duration> =
            (0..1000).map(|_| jittered(Duration::from_secs(1000), &mut random::secure())).collect();
        assert!(ages.iter().all(|age| (900..=1100).contains(&age.as_secs())), "{ages:?}");
        assert!(ages.iter().any(|age| age.as_secs() < 920) && ages.iter().any(|age| age.as_secs() > 1080), "{ages:?}");
    }
}

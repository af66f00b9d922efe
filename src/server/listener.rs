//! Where callers connect: takes connections, within limits that a flood cannot turn against others.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::{AbortOnDropHandle, TaskTracker};
use tonic::service::Routes;

use super::http2::Http2;
use super::tls::{Tls, Watched};
use crate::config::{Config, Connections};
#[cfg(feature = "sandbox")]
use crate::grpc::caller::CallerResolver;
use crate::telemetry::metrics::Metrics;

/// Where callers connect, and how it is known who they are.
pub struct Listener {
    socket: TcpListener,
    door: Arc<Door>,
    /// What is to be watched of its certificates.
    pub(super) certificates: Option<Watched>,
}

/// What a caller has to go through.
enum Door {
    /// Mutual TLS.
    Tls(Tls),
    /// Nothing: whoever is on this machine says who they are.
    #[cfg(feature = "sandbox")]
    Plaintext(Arc<dyn CallerResolver>),
}

impl Listener {
    /// For callers with certificates.
    pub fn mutual_tls(socket: TcpListener, config: &Config) -> anyhow::Result<Self> {
        let tls =
            config.server.tls.clone().context("server.tls: needed, because a caller is known by its certificate")?;
        let (tls, certificates) = Tls::load(tls, &config.callers)?;
        Ok(Self { socket, door: Arc::new(Door::Tls(tls)), certificates: Some(certificates) })
    }

    /// For callers that `callers` believes. On this machine alone, and not in the production binary.
    #[cfg(feature = "sandbox")]
    pub fn plaintext(socket: TcpListener, callers: Arc<dyn CallerResolver>) -> anyhow::Result<Self> {
        let address = socket.local_addr()?;
        anyhow::ensure!(
            address.ip().is_loopback(),
            "{address} is no loopback address: plaintext is served on no other"
        );
        Ok(Self { socket, door: Arc::new(Door::Plaintext(callers)), certificates: None })
    }
}

/// Binds an address. `key` is how the setting is called.
pub async fn bind(key: &str, address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| format!("{key}: cannot listen on {address}"))
}

/// What all listeners share.
pub(super) struct Server {
    http2: Http2,
    /// A permit for each connection that is served.
    free: Arc<Semaphore>,
    handshakes: usize,
    handshake_timeout: Duration,
    metrics: Metrics,
    connections: TaskTracker,
    draining: CancellationToken,
}

impl Server {
    pub(super) fn new(settings: &Connections, routes: Routes, metrics: Metrics, draining: CancellationToken) -> Self {
        Self {
            http2: Http2::new(settings, routes),
            free: Arc::new(Semaphore::new(settings.limit.min(Semaphore::MAX_PERMITS))),
            handshakes: settings.handshakes,
            handshake_timeout: settings.handshake_timeout,
            metrics,
            connections: TaskTracker::new(),
            draining,
        }
    }

    /// Takes connections at all doors until the drain begins, then waits for those that are there.
    pub(super) async fn serve(self, listeners: Vec<Listener>) {
        let server = Arc::new(self);
        futures_util::future::join_all(listeners.into_iter().map(|listener| server.accept(listener))).await;
        server.connections.close();
        server.connections.wait().await;
    }

    /// Each connection has its handshake in a task of its own, so that a slow client holds up no other. Where too many are
    /// under way, the oldest makes room: an honest one takes milliseconds, so a flood of half-open ones displaces itself.
    async fn accept(self: &Arc<Self>, listener: Listener) {
        let mut handshakes: VecDeque<AbortOnDropHandle<()>> = VecDeque::new();
        loop {
            let connection = tokio::select! {
                connection = listener.socket.accept() => connection,
                () = self.draining.cancelled() => return,
            };
            let (stream, peer) = match connection {
                Ok(connection) => connection,
                Err(error) => {
                    // Out of file descriptors, most likely: others must close first.
                    tracing::warn!(%error, "cannot accept");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            };
            handshakes.retain(|handshake| !handshake.is_finished());
            if handshakes.len() >= self.handshakes {
                handshakes.pop_front();
                self.metrics.handshake("displaced");
            }
            let (server, door) = (Arc::clone(self), Arc::clone(&listener.door));
            handshakes.push_back(AbortOnDropHandle::new(tokio::spawn(async move {
                server.admit(&door, stream, peer).await;
            })));
        }
    }

    /// Lets a connection through the door, and has it served.
    async fn admit(self: Arc<Self>, door: &Door, stream: TcpStream, peer: SocketAddr) {
        let _ = stream.set_nodelay(true);
        let (http2, draining) = (Arc::clone(&self), self.draining.clone());
        match door {
            Door::Tls(tls) => match tokio::time::timeout(self.handshake_timeout, tls.accept(stream)).await {
                Ok(Ok((stream, caller))) => {
                    self.spawn(async move { http2.http2.serve(stream, Arc::new(caller), draining).await });
                }
                Ok(Err(error)) => {
                    tracing::info!(%peer, %error, "handshake refused");
                    self.metrics.handshake("refused");
                }
                Err(_) => {
                    tracing::info!(%peer, "handshake took too long");
                    self.metrics.handshake("late");
                }
            },
            #[cfg(feature = "sandbox")]
            Door::Plaintext(callers) => {
                let callers = Arc::clone(callers);
                self.spawn(async move { http2.http2.serve(stream, callers, draining).await });
            }
        }
    }

    /// Serves a connection, unless there are too many.
    fn spawn(&self, serving: impl Future<Output = ()> + Send + 'static) {
        let Ok(permit) = Arc::clone(&self.free).try_acquire_owned() else {
            tracing::warn!("too many connections: a new one was closed");
            self.metrics.handshake("over_limit");
            return;
        };
        self.metrics.handshake("done");
        self.connections.spawn(async move {
            serving.await;
            drop(permit);
        });
    }
}

#[cfg(all(test, feature = "sandbox"))]
mod tests {
    use super::*;

    #[tokio::test]
    async fn plaintext_stays_on_this_machine() {
        let plaintext = async |address: &str| {
            let socket = TcpListener::bind(address).await.unwrap();
            Listener::plaintext(socket, Arc::new(None)).map(drop)
        };
        plaintext("127.0.0.1:0").await.unwrap();
        plaintext("127.8.9.10:0").await.unwrap();
        let refusal = plaintext("0.0.0.0:0").await.unwrap_err().to_string();
        assert!(refusal.starts_with("0.0.0.0:") && refusal.contains("no loopback address"), "{refusal}");
    }
}

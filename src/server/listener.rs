//! Accepts connections, within limits that keep a flood from locking out other callers.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::{AbortOnDropHandle, TaskTracker};
use tonic::service::Routes;

use super::http2::Http2Server;
use super::mutual_tls::{CertificateUpkeep, MutualTls};
use super::transport::Transport;
use crate::config::{Config, ConnectionSettings};
use crate::telemetry::metrics::Metrics;

/// Pause after a failed accept. Most likely the process has no file descriptors left, so other connections must close
/// first; without a pause the loop would spin.
const ACCEPT_RETRY_DELAY: Duration = Duration::from_millis(100);

/// A listening socket with its transport.
pub struct Listener {
    socket: TcpListener,
    transport: Arc<dyn AcceptConnection>,
    /// The background work that the certificates need. `None` if the transport has no certificates.
    pub(super) certificates: Option<CertificateUpkeep>,
}

impl Listener {
    /// A listener with the given transport.
    pub fn new(socket: TcpListener, transport: impl Transport) -> Self {
        Self { socket, transport: Arc::new(transport), certificates: None }
    }

    /// A listener that identifies callers by their client certificates.
    ///
    /// # Errors
    /// If `server.tls` is missing or its files cannot be read.
    pub fn mutual_tls(socket: TcpListener, config: &Config) -> anyhow::Result<Self> {
        let tls =
            config.server.tls.clone().context("server.tls: needed, because a caller is known by its certificate")?;
        let (mutual_tls, upkeep) = MutualTls::load(tls, &config.callers)?;
        Ok(Self { certificates: Some(upkeep), ..Self::new(socket, mutual_tls) })
    }
}

/// A [`Transport`] of any type, so that listeners with different transports can serve side by side.
trait AcceptConnection: Send + Sync {
    /// Performs the handshake, then starts to serve the connection.
    fn accept_connection(
        self: Arc<Self>,
        server: Arc<ConnectionServer>,
        stream: TcpStream,
        peer: SocketAddr,
    ) -> Pin<Box<dyn Future<Output = ()> + Send>>;
}

impl<T: Transport> AcceptConnection for T {
    fn accept_connection(
        self: Arc<Self>,
        server: Arc<ConnectionServer>,
        stream: TcpStream,
        peer: SocketAddr,
    ) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(async move { server.accept_connection(&*self, stream, peer).await })
    }
}

/// Binds an address. `key` is the name of the setting, for the error message.
///
/// # Errors
/// If the address is not available.
pub async fn bind(key: &str, address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| format!("{key}: cannot listen on {address}"))
}

/// Serves the connections of all listeners within common limits.
pub(super) struct ConnectionServer {
    http2: Http2Server,
    /// One permit for each further connection that may be open.
    connection_permits: Arc<Semaphore>,
    max_handshakes: usize,
    handshake_timeout: Duration,
    metrics: Metrics,
    connections: TaskTracker,
    draining: CancellationToken,
}

impl ConnectionServer {
    pub(super) fn new(
        settings: &ConnectionSettings,
        routes: Routes,
        metrics: Metrics,
        draining: CancellationToken,
    ) -> Self {
        Self {
            http2: Http2Server::new(settings, routes),
            connection_permits: Arc::new(Semaphore::new(settings.limit.min(Semaphore::MAX_PERMITS))),
            max_handshakes: settings.handshakes,
            handshake_timeout: settings.handshake_timeout,
            metrics,
            connections: TaskTracker::new(),
            draining,
        }
    }

    /// Accepts connections on all listeners until `draining` is cancelled, then waits until the open ones have closed.
    pub(super) async fn serve(self, listeners: Vec<Listener>) {
        let server = Arc::new(self);
        futures_util::future::join_all(listeners.into_iter().map(|listener| server.accept_all(listener))).await;
        server.connections.close();
        server.connections.wait().await;
    }

    /// Each handshake runs in a task of its own, so that a slow client does not delay others. Above the limit, the oldest
    /// handshake is aborted: an honest handshake takes milliseconds, so in a flood of half-open ones it is one of the flood.
    async fn accept_all(self: &Arc<Self>, listener: Listener) {
        let mut handshakes: VecDeque<AbortOnDropHandle<()>> = VecDeque::new();
        loop {
            let accepted = tokio::select! {
                accepted = listener.socket.accept() => accepted,
                () = self.draining.cancelled() => return,
            };
            let (stream, peer) = match accepted {
                Ok(connection) => connection,
                Err(error) => {
                    tracing::warn!(%error, "cannot accept");
                    tokio::time::sleep(ACCEPT_RETRY_DELAY).await;
                    continue;
                }
            };
            handshakes.retain(|handshake| !handshake.is_finished());
            if handshakes.len() >= self.max_handshakes {
                handshakes.pop_front();
                self.metrics.count_handshake("displaced");
            }
            let handshake = Arc::clone(&listener.transport).accept_connection(Arc::clone(self), stream, peer);
            handshakes.push_back(AbortOnDropHandle::new(tokio::spawn(handshake)));
        }
    }

    /// Performs the handshake of a connection, then starts to serve it.
    async fn accept_connection(self: Arc<Self>, transport: &impl Transport, stream: TcpStream, peer: SocketAddr) {
        let _ = stream.set_nodelay(true);
        match tokio::time::timeout(self.handshake_timeout, transport.accept(stream)).await {
            Ok(Ok((stream, callers))) => {
                let (server, draining) = (Arc::clone(&self), self.draining.clone());
                self.spawn(async move { server.http2.serve(stream, callers, draining).await });
            }
            Ok(Err(error)) => {
                tracing::info!(%peer, %error, "handshake refused");
                self.metrics.count_handshake("refused");
            }
            Err(_) => {
                tracing::info!(%peer, "handshake took too long");
                self.metrics.count_handshake("late");
            }
        }
    }

    /// Serves a connection in a task of its own, or closes it if too many are open.
    fn spawn(&self, serving: impl Future<Output = ()> + Send + 'static) {
        let Ok(permit) = Arc::clone(&self.connection_permits).try_acquire_owned() else {
            tracing::warn!("too many connections: a new one was closed");
            self.metrics.count_handshake("over_limit");
            return;
        };
        self.metrics.count_handshake("done");
        self.connections.spawn(async move {
            serving.await;
            drop(permit);
        });
    }
}

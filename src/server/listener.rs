//! Where callers connect: takes connections, within limits that a flood cannot turn against others.

use std::collections::VecDeque;
use std::fmt;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::{AbortOnDropHandle, TaskTracker};
use tonic::service::Routes;

use super::http2::Http2;
use super::tls::{Tls, Watched};
use crate::config::{Config, Connections};
use crate::grpc::caller::CallerResolver;
use crate::telemetry::metrics::Metrics;

/// Turns accepted TCP connections into streams, and says who the caller is.
pub trait Transport: Send + Sync + 'static {
    /// What HTTP/2 is served on.
    type Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static;
    /// Why a handshake failed.
    type Error: fmt::Display;

    /// Does the handshake. The resolver names the caller of each request on the connection.
    fn accept(
        &self,
        stream: TcpStream,
    ) -> impl Future<Output = Result<(Self::Stream, Arc<dyn CallerResolver>), Self::Error>> + Send;
}

/// A socket for callers, with its transport.
pub struct Listener {
    socket: TcpListener,
    transport: Arc<dyn AcceptConnection>,
    /// The certificates that the server reloads, and whose expiry it reports.
    pub(super) certificates: Option<Watched>,
}

impl Listener {
    /// A listener with that transport.
    pub fn new(socket: TcpListener, transport: impl Transport) -> Self {
        Self { socket, transport: Arc::new(transport), certificates: None }
    }

    /// A listener for callers with certificates.
    pub fn mutual_tls(socket: TcpListener, config: &Config) -> anyhow::Result<Self> {
        let tls =
            config.server.tls.clone().context("server.tls: needed, because a caller is known by its certificate")?;
        let (tls, certificates) = Tls::load(tls, &config.callers)?;
        Ok(Self { certificates: Some(certificates), ..Self::new(socket, tls) })
    }
}

/// A [`Transport`] of any type: listeners with different transports serve side by side.
trait AcceptConnection: Send + Sync {
    /// Does the handshake, then has the connection served.
    fn accept_connection(
        self: Arc<Self>,
        server: Arc<Server>,
        stream: TcpStream,
        peer: SocketAddr,
    ) -> Pin<Box<dyn Future<Output = ()> + Send>>;
}

impl<T: Transport> AcceptConnection for T {
    fn accept_connection(
        self: Arc<Self>,
        server: Arc<Server>,
        stream: TcpStream,
        peer: SocketAddr,
    ) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(async move { server.accept_connection(&*self, stream, peer).await })
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
            let handshake = Arc::clone(&listener.transport).accept_connection(Arc::clone(self), stream, peer);
            handshakes.push_back(AbortOnDropHandle::new(tokio::spawn(handshake)));
        }
    }

    /// Does the handshake of a connection, and starts to serve it.
    async fn accept_connection(self: Arc<Self>, transport: &impl Transport, stream: TcpStream, peer: SocketAddr) {
        let _ = stream.set_nodelay(true);
        match tokio::time::timeout(self.handshake_timeout, transport.accept(stream)).await {
            Ok(Ok((stream, callers))) => {
                let (server, draining) = (Arc::clone(&self), self.draining.clone());
                self.spawn(async move { server.http2.serve(stream, callers, draining).await });
            }
            Ok(Err(error)) => {
                tracing::info!(%peer, %error, "handshake refused");
                self.metrics.handshake("refused");
            }
            Err(_) => {
                tracing::info!(%peer, "handshake took too long");
                self.metrics.handshake("late");
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

//! The gateway's own server, which refuses connections while the gateway is down.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context as _;
use axum::serve::Listener;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;

use crate::gateway::{Gateway, GatewayMode, Inbox};

/// Connections that wait to be accepted.
const BACKLOG: u32 = 1024;

/// The address of a gateway, reserved for as long as this exists.
pub struct GatewayServer {
    address: SocketAddr,
    /// Bound but never listening, so that no other process gets the port while the gateway is down.
    _reservation: TcpSocket,
    is_listening: watch::Sender<bool>,
}

impl GatewayServer {
    /// Reserves a port of `ip`.
    ///
    /// # Errors
    /// If there is none.
    pub fn reserve(ip: [u8; 4]) -> anyhow::Result<Self> {
        let reservation = bind(SocketAddr::from((ip, 0)))?;
        let address = reservation.local_addr()?;
        Ok(Self { address, _reservation: reservation, is_listening: watch::Sender::new(false) })
    }

    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves the gateway whenever it is not down, for ever.
    ///
    /// # Errors
    /// If the server cannot listen.
    pub async fn serve<I: Inbox>(&self, gateway: Arc<Gateway<I>>) -> anyhow::Result<()> {
        loop {
            gateway.mode.wait_until(|mode| *mode != GatewayMode::Down).await;
            let listener = ObservedListener {
                listener: Some(bind(self.address)?.listen(BACKLOG)?),
                is_listening: self.is_listening.clone(),
            };
            self.is_listening.send_replace(true);
            let (mode, routes) = (gateway.mode.clone(), gateway.routes());
            let down = async move { mode.wait_until(|mode| *mode == GatewayMode::Down).await };
            // In a task of its own: running calls end when they do.
            tokio::spawn(async { axum::serve(listener, routes).with_graceful_shutdown(down).await });
            self.wait_until_listening(false).await;
        }
    }

    /// Waits until the server listens, or does not listen.
    pub async fn wait_until_listening(&self, expected: bool) {
        // The channel is open, because `self` sends to it.
        let _ = self.is_listening.subscribe().wait_for(|is_listening| *is_listening == expected).await;
    }
}

fn bind(address: SocketAddr) -> anyhow::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseport(true)?;
    socket.bind(address).with_context(|| format!("the SMS gateway cannot listen on {address}"))?;
    Ok(socket)
}

/// A listener that tells when it is closed.
struct ObservedListener {
    /// Taken when it is closed.
    listener: Option<TcpListener>,
    is_listening: watch::Sender<bool>,
}

impl Listener for ObservedListener {
    type Io = TcpStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (TcpStream, SocketAddr) {
        match &mut self.listener {
            Some(listener) => Listener::accept(listener).await,
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.as_ref().ok_or(io::ErrorKind::NotConnected)?.local_addr()
    }
}

impl Drop for ObservedListener {
    fn drop(&mut self) {
        self.listener.take();
        self.is_listening.send_replace(false);
    }
}

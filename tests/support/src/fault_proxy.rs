//! A TCP proxy that tests put between the service and Redis or Postgres, to break the connections.

use std::net::SocketAddr;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Forwards everything at first. Dropping it closes all connections.
pub struct FaultProxy {
    address: SocketAddr,
    state: watch::Sender<State>,
    _tasks: JoinSet<()>,
}

#[derive(Clone, Copy, Default)]
struct State {
    mode: Mode,
    /// Connections made so far.
    connections: u64,
    /// Connections with a lower number are closed.
    cut_below: u64,
    /// Connections with a lower number no longer forward anything.
    silent_below: u64,
}

#[derive(Clone, Copy, Default, PartialEq)]
enum Mode {
    #[default]
    Pass,
    Refuse,
    Stall,
}

impl FaultProxy {
    /// Starts a proxy for `upstream` (`host:port`) on a free port of the loopback address.
    pub async fn start(upstream: impl Into<String>) -> Self {
        let upstream = upstream.into();
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let address = listener.local_addr().expect("a bound listener has an address");
        let state = watch::Sender::new(State::default());
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener, upstream, state.clone()));
        Self { address, state, _tasks: tasks }
    }

    /// Starts a proxy for the server of `url`. Returns it and the URL that leads through it.
    pub async fn start_for_url(url: &str) -> (Self, String) {
        let (scheme, rest) = url.split_once("://").expect("a URL has a scheme");
        let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        let (user, server) = match authority.rsplit_once('@') {
            Some((user, server)) => (format!("{user}@"), server),
            None => (String::new(), authority),
        };
        let proxy = Self::start(server).await;
        let url = format!("{scheme}://{user}{}{path}", proxy.address);
        (proxy, url)
    }

    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Forwards everything again, including what was stalled.
    pub fn restore(&self) {
        self.state.send_modify(|state| state.mode = Mode::Pass);
    }

    /// Resets all connections, and resets new connections at once.
    pub fn refuse(&self) {
        self.state.send_modify(|state| state.mode = Mode::Refuse);
        self.cut();
    }

    /// Resets all connections. New connections work.
    pub fn cut(&self) {
        self.state.send_modify(|state| state.cut_below = state.connections);
    }

    /// Accepts connections and reads from them, but forwards nothing until [`Self::restore`].
    pub fn stall(&self) {
        self.state.send_modify(|state| state.mode = Mode::Stall);
    }

    /// Makes all open connections stop forwarding for ever, like a host that has crashed. New connections work.
    pub fn silence(&self) {
        self.state.send_modify(|state| state.silent_below = state.connections);
    }

    /// The number of connections so far.
    pub fn connections(&self) -> u64 {
        self.state.borrow().connections
    }
}

async fn accept(listener: TcpListener, upstream: String, state: watch::Sender<State>) {
    let mut connections = JoinSet::new();
    loop {
        let (client, _) = listener.accept().await.expect("the listener accepts");
        while connections.try_join_next().is_some() {}
        let mut number = 0;
        state.send_modify(|state| {
            number = state.connections;
            state.connections += 1;
        });
        connections.spawn(serve(client, upstream.clone(), number, state.subscribe()));
    }
}

async fn serve(client: TcpStream, upstream: String, number: u64, mut state: watch::Receiver<State>) {
    // With this, closing resets the connection, so that both sides notice at once.
    client.set_zero_linger().expect("the socket takes options");
    if state.borrow().mode == Mode::Refuse {
        return;
    }
    let Ok(server) = TcpStream::connect(upstream).await else { return };
    client.set_nodelay(true).expect("the socket takes options");
    server.set_nodelay(true).expect("the socket takes options");
    let (client_in, client_out) = client.into_split();
    let (server_in, server_out) = server.into_split();
    tokio::select! {
        _ = pass_on(client_in, server_out, number, state.clone()) => {}
        _ = pass_on(server_in, client_out, number, state.clone()) => {}
        _ = state.wait_for(|state| number < state.cut_below) => {}
    }
}

async fn pass_on(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    number: u64,
    mut state: watch::Receiver<State>,
) -> std::io::Result<()> {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let length = from.read(&mut buffer).await?;
        if length == 0 {
            return Ok(());
        }
        let _ = state.wait_for(|state| state.mode != Mode::Stall && number >= state.silent_below).await;
        to.write_all(&buffer[..length]).await?;
    }
}

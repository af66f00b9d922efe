//! The gRPC server's settings.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

/// The gRPC server.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    /// Whether gRPC reflection is served.
    pub reflection: bool,
    /// Deadline of a call that brings none, and the longest one granted. Bounds the wait and the work; what the call waits for
    /// has time-outs of its own beside it.
    #[serde(with = "humantime_serde")]
    pub default_deadline: Duration,
    /// Largest message, in bytes, both ways.
    pub message_limit: usize,
    /// Threads that run calls and what goes on beside them. More than are needed wake each other, which costs all of them.
    pub threads: usize,
    /// Most calls at once, those whose caller has gone counted too; one more is shed.
    pub max_calls: usize,
    /// How long running calls may take to end after SIGTERM, and after them the hand-overs of messages under way.
    #[serde(with = "humantime_serde")]
    pub drain: Duration,
    /// How often certificates and keys are looked at for changes.
    #[serde(with = "humantime_serde")]
    pub reload_interval: Duration,
    /// Bounds of connections.
    pub connections: Connections,
    /// The server's certificate and the CA of its callers. Needed, except in the sandbox.
    pub tls: Option<Tls>,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, 50051)),
            reflection: true,
            default_deadline: Duration::from_secs(10),
            message_limit: 64 * 1024,
            threads: 1,
            max_calls: 512,
            drain: Duration::from_secs(10),
            reload_interval: Duration::from_secs(10),
            connections: Connections::default(),
            tls: None,
        }
    }
}

/// Bounds of connections.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Connections {
    /// Connections at once.
    pub limit: usize,
    /// Handshakes under way at once.
    pub handshakes: usize,
    /// How long a client may take for its handshake.
    #[serde(with = "humantime_serde")]
    pub handshake_timeout: Duration,
    /// How old a connection gets, 10 % more or less.
    #[serde(with = "humantime_serde")]
    pub age: Duration,
    /// How long the calls on it may then take to end.
    #[serde(with = "humantime_serde")]
    pub age_grace: Duration,
    /// How often a silent peer is asked whether it is there.
    #[serde(with = "humantime_serde")]
    pub keepalive_interval: Duration,
    /// How long it may take to answer.
    #[serde(with = "humantime_serde")]
    pub keepalive_timeout: Duration,
    /// Calls at once on one connection.
    pub streams: u32,
    /// Bytes of a call's metadata.
    pub header_list_size: u32,
    /// Calls that the peer took back before the server had looked at them.
    pub pending_resets: usize,
    /// Calls that the server ended because the peer broke the protocol.
    pub error_resets: usize,
}

impl Default for Connections {
    fn default() -> Self {
        Self {
            limit: 1000,
            handshakes: 256,
            handshake_timeout: Duration::from_secs(5),
            age: Duration::from_secs(30 * 60),
            age_grace: Duration::from_secs(30),
            keepalive_interval: Duration::from_secs(30),
            keepalive_timeout: Duration::from_secs(10),
            streams: 200,
            header_list_size: 16 * 1024,
            pending_resets: 20,
            error_resets: 1024,
        }
    }
}

/// Mutual TLS; PEM files.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// The server's certificate and its intermediates.
    pub certificate: PathBuf,
    /// The server's private key.
    pub key: PathBuf,
    /// The CAs that callers' certificates must come from.
    pub client_ca: PathBuf,
}

//! Settings of the gRPC server.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

/// Longest ID token that is accepted, in characters. The largest allowed message must have room for one.
pub const MAX_ID_TOKEN_CHARACTERS: usize = 8192;

/// The gRPC server.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ServerSettings {
    /// Address and port that the server listens on.
    pub address: SocketAddr,
    /// Whether gRPC reflection is served.
    pub reflection: bool,
    /// Deadline of a call without one, and the longest deadline granted. It limits how long the caller waits and how long
    /// the call's work may run. Each dependency has a time-out of its own besides.
    #[serde(with = "humantime_serde")]
    pub default_deadline: Duration,
    /// Largest message in bytes, for requests and responses.
    pub message_limit: usize,
    /// Threads of the async runtime. Threads that are not needed cost CPU time, because they wake each other.
    pub threads: usize,
    /// Most calls that may run at once; further calls are shed. A call counts until its work has ended, also after its caller
    /// has disconnected.
    pub max_calls: usize,
    /// How long running calls may take to end after SIGTERM, and then how long message hand-overs may take to end.
    #[serde(with = "humantime_serde")]
    pub drain: Duration,
    /// How often the files of certificates and keys are checked for changes.
    #[serde(with = "humantime_serde")]
    pub reload_interval: Duration,
    /// Limits of connections.
    pub connections: ConnectionSettings,
    /// The server's certificate and the CAs of callers. Required by every binary but the sandbox.
    pub tls: Option<TlsSettings>,
}

impl Default for ServerSettings {
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
            connections: ConnectionSettings::default(),
            tls: None,
        }
    }
}

/// Limits of connections.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ConnectionSettings {
    /// Most open connections.
    pub limit: usize,
    /// Most handshakes that may be in progress at once.
    pub handshakes: usize,
    /// Longest duration of a handshake.
    #[serde(with = "humantime_serde")]
    pub handshake_timeout: Duration,
    /// Age at which the server closes a connection, plus or minus 10 %.
    #[serde(with = "humantime_serde")]
    pub age: Duration,
    /// How long the calls on a connection may take to end after it has reached its age.
    #[serde(with = "humantime_serde")]
    pub age_grace: Duration,
    /// How often the server pings a silent peer.
    #[serde(with = "humantime_serde")]
    pub keepalive_interval: Duration,
    /// How long a peer may take to answer a ping.
    #[serde(with = "humantime_serde")]
    pub keepalive_timeout: Duration,
    /// Most concurrent calls on one connection.
    pub streams: u32,
    /// Largest metadata of a call, in bytes.
    pub header_list_size: u32,
    /// Most calls that a peer may cancel before the server has read them (HTTP/2 rapid reset).
    pub pending_resets: usize,
    /// Most calls that the server may reset because the peer violated the protocol.
    pub error_resets: usize,
}

impl Default for ConnectionSettings {
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

/// Files for mutual TLS, all PEM.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsSettings {
    /// The server's certificate and its intermediate certificates.
    pub certificate: PathBuf,
    /// The server's private key.
    pub key: PathBuf,
    /// The CAs that sign callers' certificates.
    pub client_ca: PathBuf,
}

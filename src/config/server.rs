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
    /// Deadline of a call that brings none, and the longest one granted. Bounds the caller's wait; what the call waits for
    /// has time-outs of its own.
    #[serde(with = "humantime_serde")]
    pub default_deadline: Duration,
    /// Largest request message, in bytes.
    pub message_limit: usize,
    /// How long running calls may take to end after SIGTERM, and after them the hand-overs of messages under way.
    #[serde(with = "humantime_serde")]
    pub drain: Duration,
    /// How often certificates and keys are looked at for changes.
    #[serde(with = "humantime_serde")]
    pub reload_interval: Duration,
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
            drain: Duration::from_secs(10),
            reload_interval: Duration::from_secs(10),
            tls: None,
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

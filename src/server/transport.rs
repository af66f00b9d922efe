//! How a connection becomes a stream of HTTP/2, and how its caller is identified.

use std::fmt;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use crate::grpc::authentication::CallerResolver;

/// Turns an accepted TCP connection into a stream for HTTP/2, and identifies the caller. Production uses mutual TLS.
pub trait Transport: Send + Sync + 'static {
    /// The stream that HTTP/2 is served on.
    type Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static;
    /// Why a handshake failed.
    type Error: fmt::Display;

    /// Performs the handshake. The resolver identifies the caller of each request on the connection.
    fn accept(&self, stream: TcpStream) -> impl Future<Output = Accepted<Self>> + Send;
}

/// The outcome of a handshake.
pub type Accepted<T> = Result<(<T as Transport>::Stream, Arc<dyn CallerResolver>), <T as Transport>::Error>;

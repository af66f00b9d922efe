//! Connections without TLS, for callers that say who they are. Loopback only, and never part of the production binary.

use std::convert::Infallible;
use std::sync::Arc;

use temporary_pin::grpc::authentication::CallerResolver;
use temporary_pin::server::listener::Listener;
use temporary_pin::server::transport::Transport;
use tokio::net::{TcpListener, TcpStream};

/// Takes the caller from the headers of a request, by `callers`, without proof.
struct Plaintext {
    callers: Arc<dyn CallerResolver>,
}

impl Transport for Plaintext {
    type Stream = TcpStream;
    type Error = Infallible;

    async fn accept(&self, stream: TcpStream) -> Result<(TcpStream, Arc<dyn CallerResolver>), Infallible> {
        Ok((stream, Arc::clone(&self.callers)))
    }
}

/// Listens without TLS. Fails for an address that other machines can reach.
pub fn listen(socket: TcpListener, callers: Arc<dyn CallerResolver>) -> anyhow::Result<Listener> {
    let address = socket.local_addr()?;
    anyhow::ensure!(address.ip().is_loopback(), "{address} is no loopback address: plaintext is served on no other");
    Ok(Listener::new(socket, Plaintext { callers }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn plaintext_stays_on_this_machine() {
        let plaintext = async |address: &str| {
            let socket = TcpListener::bind(address).await.unwrap();
            listen(socket, Arc::new(None)).map(drop)
        };
        plaintext("127.0.0.1:0").await.unwrap();
        plaintext("127.8.9.10:0").await.unwrap();
        let refusal = plaintext("0.0.0.0:0").await.unwrap_err().to_string();
        assert!(refusal.starts_with("0.0.0.0:") && refusal.contains("no loopback address"), "{refusal}");
    }
}

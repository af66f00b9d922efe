//! Mutual TLS: TLS 1.3 only, and no connection without a client certificate of our CA.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use futures_util::Stream;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_stream::wrappers::ReceiverStream;

use super::reload::{self, Current, Reload};
use crate::config::Tls;

/// How long a client may take for its handshake.
const HANDSHAKE_TIME: Duration = Duration::from_secs(5);

/// Handshaken connections that wait to be served.
const BACKLOG: usize = 64;

/// Reads the certificates, and makes ready to read them again.
pub(super) fn load(settings: Tls) -> anyhow::Result<(Current<ServerConfig>, Reload)> {
    let files = vec![settings.certificate.clone(), settings.key.clone(), settings.client_ca.clone()];
    reload::keep("tls", files, move || read(&settings))
}

/// What the files are good for. Certificate and key that do not fit, because only one has been replaced yet, are an
/// error.
fn read(settings: &Tls) -> anyhow::Result<ServerConfig> {
    let mut roots = RootCertStore::empty();
    let cas = CertificateDer::pem_file_iter(&settings.client_ca).context("server.tls.client_ca: cannot be read")?;
    for ca in cas {
        roots.add(ca.context("server.tls.client_ca: not PEM")?).context("server.tls.client_ca: no CA certificate")?;
    }
    let verifier = WebPkiClientVerifier::builder(Arc::new(roots)).build().context("server.tls.client_ca")?;
    let certificates = CertificateDer::pem_file_iter(&settings.certificate)
        .context("server.tls.certificate: cannot be read")?
        .collect::<Result<Vec<_>, _>>()
        .context("server.tls.certificate: not PEM")?;
    let key = PrivateKeyDer::from_pem_file(&settings.key).context("server.tls.key: cannot be read")?;
    let mut config = ServerConfig::builder_with_protocol_versions(&[&rustls::version::TLS13])
        .with_client_cert_verifier(verifier)
        .with_single_cert(certificates, key)
        .context("server.tls: certificate and key do not fit")?;
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(config)
}

/// Connections whose handshake is done. Each has its handshake in a task of its own, so that a slow client holds up no
/// other.
pub(super) fn incoming(
    listener: TcpListener,
    config: Current<ServerConfig>,
) -> impl Stream<Item = io::Result<TlsStream<TcpStream>>> {
    let (ready, connections) = mpsc::channel(BACKLOG);
    tokio::spawn(async move {
        loop {
            let connection = tokio::select! {
                connection = listener.accept() => connection,
                () = ready.closed() => return,
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
            let (acceptor, ready) = (TlsAcceptor::from(config.load_full()), ready.clone());
            tokio::spawn(async move {
                let _ = stream.set_nodelay(true);
                match tokio::time::timeout(HANDSHAKE_TIME, acceptor.accept(stream)).await {
                    Ok(Ok(stream)) => drop(ready.send(Ok(stream)).await),
                    Ok(Err(error)) => tracing::info!(%peer, %error, "handshake refused"),
                    Err(_) => tracing::info!(%peer, "handshake took too long"),
                }
            });
        }
    });
    ReceiverStream::new(connections)
}

//! Mutual TLS handshakes: TLS 1.3 only, and every client needs a certificate of one of the configured CAs.

use std::io;
use std::sync::Arc;

use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::certificates::{self, Certificates, ExpiryMonitor};
use super::reload::{Reloadable, WatchedFiles};
use super::transport::Transport;
use crate::config::{CallerSettings, TlsSettings};
use crate::grpc::authentication::{CallerResolver, CertificateCallers};

/// Performs handshakes and identifies callers by their certificates.
pub(super) struct MutualTls {
    certificates: Reloadable<Certificates>,
    callers: CertificateCallers,
    expiry_monitor: Arc<ExpiryMonitor>,
}

/// The background work that certificates need.
pub(super) struct CertificateUpkeep {
    pub(super) files: WatchedFiles,
    pub(super) expiry_monitor: Arc<ExpiryMonitor>,
}

impl MutualTls {
    /// Loads the certificates.
    pub(super) fn load(settings: TlsSettings, callers: &[CallerSettings]) -> anyhow::Result<(Self, CertificateUpkeep)> {
        let (certificates, files) = certificates::load_certificates(settings)?;
        let expiry_monitor = Arc::new(ExpiryMonitor::new(Arc::clone(&certificates)));
        let upkeep = CertificateUpkeep { files, expiry_monitor: Arc::clone(&expiry_monitor) };
        Ok((Self { certificates, callers: CertificateCallers::new(callers), expiry_monitor }, upkeep))
    }
}

impl Transport for MutualTls {
    type Stream = TlsStream<TcpStream>;
    type Error = io::Error;

    /// Performs the handshake with the certificates as they are now. A client whose certificate is valid but names no
    /// configured caller gets a connection without a caller, which may only use health and reflection.
    async fn accept(&self, stream: TcpStream) -> io::Result<(Self::Stream, Arc<dyn CallerResolver>)> {
        let tls_config = Arc::clone(&self.certificates.load().tls_config);
        let stream = TlsAcceptor::from(tls_config).accept(stream).await?;
        let certificate = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
        let caller = certificate.and_then(|certificate| {
            let caller = self.callers.identify(certificate)?;
            self.expiry_monitor.record_caller(&caller.name, certificate);
            Some(caller)
        });
        Ok((stream, Arc::new(caller)))
    }
}

//! Mutual TLS: TLS 1.3 only, and no connection without a client certificate of our CA.

use std::io;
use std::sync::Arc;

use anyhow::Context as _;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::{RootCertStore, ServerConfig};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::expiry::{Expiries, Expiry};
use super::listener::Transport;
use super::reload::{self, Current, Reload};
use crate::config;
use crate::grpc::caller::{CallerResolver, CertificateCallers};

/// The door for callers with certificates.
pub(super) struct Tls {
    current: Current<Certificates>,
    callers: CertificateCallers,
    expiries: Arc<Expiries>,
}

/// What is to be watched of certificates.
pub(super) struct Watched {
    pub(super) reload: Reload,
    pub(super) expiries: Arc<Expiries>,
}

/// What the files hold.
pub(super) struct Certificates {
    server: Arc<ServerConfig>,
    /// Until when the server's certificate and each CA are good.
    pub(super) expiries: Vec<Expiry>,
}

impl Tls {
    /// Reads the certificates, and makes ready to read them again. `callers` are those of the configuration.
    pub(super) fn load(settings: config::Tls, callers: &[config::Caller]) -> anyhow::Result<(Self, Watched)> {
        let files = vec![settings.certificate.clone(), settings.key.clone(), settings.client_ca.clone()];
        let (current, reload) = reload::keep("tls", files, move |_| Certificates::read(&settings))?;
        let expiries = Arc::new(Expiries::new(Arc::clone(&current)));
        let watched = Watched { reload, expiries: Arc::clone(&expiries) };
        Ok((Self { current, callers: CertificateCallers::new(callers), expiries }, watched))
    }
}

impl Transport for Tls {
    type Stream = TlsStream<TcpStream>;
    type Error = io::Error;

    /// Shakes hands under the certificates of the moment. The caller, if the configuration has it.
    async fn accept(&self, stream: TcpStream) -> io::Result<(Self::Stream, Arc<dyn CallerResolver>)> {
        let config = Arc::clone(&self.current.load().server);
        let stream = TlsAcceptor::from(config).accept(stream).await?;
        let certificate = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
        let caller = certificate.and_then(|certificate| {
            let caller = self.callers.by_certificate(certificate)?;
            self.expiries.seen(&caller.name, certificate);
            Some(caller)
        });
        Ok((stream, Arc::new(caller)))
    }
}

impl Certificates {
    /// Reads the files. Certificate and key that do not fit, because only one has been replaced so far, are an error.
    pub(super) fn read(settings: &config::Tls) -> anyhow::Result<Self> {
        let mut expiries = Vec::new();
        let mut roots = RootCertStore::empty();
        let cas = CertificateDer::pem_file_iter(&settings.client_ca).context("server.tls.client_ca: cannot be read")?;
        for ca in cas {
            let ca = ca.context("server.tls.client_ca: not PEM")?;
            expiries.push(Expiry::of("client_ca", &ca).context("server.tls.client_ca")?);
            roots.add(ca).context("server.tls.client_ca: no CA certificate")?;
        }
        let verifier = WebPkiClientVerifier::builder(Arc::new(roots)).build().context("server.tls.client_ca")?;
        let chain = CertificateDer::pem_file_iter(&settings.certificate)
            .context("server.tls.certificate: cannot be read")?
            .collect::<Result<Vec<_>, _>>()
            .context("server.tls.certificate: not PEM")?;
        for certificate in &chain {
            expiries.push(Expiry::of("server", certificate).context("server.tls.certificate")?);
        }
        let key = PrivateKeyDer::from_pem_file(&settings.key).context("server.tls.key: cannot be read")?;
        let mut server = ServerConfig::builder_with_protocol_versions(&[&rustls::version::TLS13])
            .with_client_cert_verifier(verifier)
            .with_single_cert(chain, key)
            .context("server.tls: certificate and key do not fit")?;
        server.alpn_protocols = vec![b"h2".to_vec()];
        // A session that is resumed shows no certificate, so that one that has expired would go on serving.
        server.session_storage = Arc::new(NoServerSessionStorage {});
        server.send_tls13_tickets = 0;
        Ok(Self { server: Arc::new(server), expiries })
    }
}

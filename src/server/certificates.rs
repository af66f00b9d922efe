//! The server's certificates: reads them, reloads them when their files change, and watches when they expire.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use chrono::{DateTime, TimeDelta, Utc};
use opentelemetry::KeyValue;
use opentelemetry::metrics::Meter;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::{RootCertStore, ServerConfig};
use tokio_util::sync::CancellationToken;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::reload::{self, Reloadable, WatchedFiles};
use crate::clock::Clock;
use crate::config::TlsSettings;

/// Time left at which a certificate's expiry is logged as a warning.
const EXPIRY_WARNING_PERIOD: TimeDelta = TimeDelta::days(14);

/// How often the warning is repeated.
const EXPIRY_WARNING_INTERVAL: Duration = Duration::from_secs(24 * 3600);

/// Content of the certificate files, ready for handshakes.
pub(super) struct Certificates {
    /// TLS 1.3 with the server's certificate; a client needs a certificate of one of the configured CAs.
    pub(super) tls_config: Arc<ServerConfig>,
    /// Of the server's certificates and of each CA.
    expiries: Vec<CertificateExpiry>,
}

/// When a certificate expires.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateExpiry {
    /// What the certificate is for: server, client_ca, caller.
    pub role: &'static str,
    /// The subject of the certificate, or for callers the name in the configuration.
    pub name: String,
    /// The last moment at which the certificate is valid.
    pub not_after: DateTime<Utc>,
}

impl CertificateExpiry {
    fn read(role: &'static str, certificate: &CertificateDer<'_>) -> anyhow::Result<Self> {
        let (_, certificate) = X509Certificate::from_der(certificate).context("not an X.509 certificate")?;
        let not_after = certificate.validity().not_after.timestamp();
        let not_after = DateTime::from_timestamp_secs(not_after).context("expires at an impossible time")?;
        Ok(Self { role, name: certificate.subject().to_string(), not_after })
    }
}

/// When the server's certificates and the CAs of its callers expire.
///
/// # Errors
/// If a file cannot be read or is not valid, or if certificate and key do not belong together.
pub fn read_expiries(settings: &TlsSettings) -> anyhow::Result<Vec<CertificateExpiry>> {
    read_certificates(settings).map(|certificates| certificates.expiries)
}

/// Loads the certificates, and returns what [`reload::watch_files`] needs to reload them.
pub(super) fn load_certificates(settings: TlsSettings) -> anyhow::Result<(Reloadable<Certificates>, WatchedFiles)> {
    let files = vec![settings.certificate.clone(), settings.key.clone(), settings.client_ca.clone()];
    reload::load("tls", files, move |_| read_certificates(&settings))
}

/// Reads the files. It is an error if certificate and key do not belong together: then only one file has been replaced
/// yet, and a later reload finds both.
fn read_certificates(settings: &TlsSettings) -> anyhow::Result<Certificates> {
    let mut expiries = Vec::new();
    let mut roots = RootCertStore::empty();
    let cas = CertificateDer::pem_file_iter(&settings.client_ca).context("server.tls.client_ca: cannot be read")?;
    for ca in cas {
        let ca = ca.context("server.tls.client_ca: not PEM")?;
        expiries.push(CertificateExpiry::read("client_ca", &ca).context("server.tls.client_ca")?);
        roots.add(ca).context("server.tls.client_ca: no CA certificate")?;
    }
    let verifier = WebPkiClientVerifier::builder(Arc::new(roots)).build().context("server.tls.client_ca")?;
    let chain = CertificateDer::pem_file_iter(&settings.certificate)
        .context("server.tls.certificate: cannot be read")?
        .collect::<Result<Vec<_>, _>>()
        .context("server.tls.certificate: not PEM")?;
    for certificate in &chain {
        expiries.push(CertificateExpiry::read("server", certificate).context("server.tls.certificate")?);
    }
    let key = PrivateKeyDer::from_pem_file(&settings.key).context("server.tls.key: cannot be read")?;
    let mut tls_config = ServerConfig::builder_with_protocol_versions(&[&rustls::version::TLS13])
        .with_client_cert_verifier(verifier)
        .with_single_cert(chain, key)
        .context("server.tls: certificate and key do not fit")?;
    tls_config.alpn_protocols = vec![b"h2".to_vec()];
    // No session resumption: a resumed session presents no certificate, so an expired one would still be accepted.
    tls_config.session_storage = Arc::new(NoServerSessionStorage {});
    tls_config.send_tls13_tickets = 0;
    Ok(Certificates { tls_config: Arc::new(tls_config), expiries })
}

/// Knows when the certificates in use expire: the server's, the CAs', and the callers' last ones.
pub(super) struct ExpiryMonitor {
    certificates: Reloadable<Certificates>,
    /// Expiry of the certificate of each caller's last connection, by the caller's name.
    caller_expiries: Mutex<BTreeMap<Arc<str>, DateTime<Utc>>>,
}

impl ExpiryMonitor {
    pub(super) fn new(certificates: Reloadable<Certificates>) -> Self {
        Self { certificates, caller_expiries: Mutex::default() }
    }

    /// Records the certificate with which a caller has connected.
    pub(super) fn record_caller(&self, caller: &Arc<str>, certificate: &CertificateDer<'_>) {
        if let Ok(expiry) = CertificateExpiry::read("caller", certificate) {
            let mut caller_expiries = self.caller_expiries.lock().unwrap_or_else(PoisonError::into_inner);
            caller_expiries.insert(Arc::clone(caller), expiry.not_after);
        }
    }

    /// Registers the metric that shows the time left of each certificate.
    pub(super) fn register_metric(self: &Arc<Self>, meter: &Meter, clock: Arc<dyn Clock>) {
        let monitor = Arc::clone(self);
        let gauge = meter.f64_observable_gauge("temporary_pin.certificate.expiry").with_unit("s");
        let gauge =
            gauge.with_description("Time until a certificate expires, by role and name; a caller's as last seen");
        // The meter keeps the callback, so the gauge itself is not needed.
        let _ = gauge
            .with_callback(move |observer| {
                let now = clock.now();
                for CertificateExpiry { role, name, not_after } in monitor.expiries() {
                    let labels = [KeyValue::new("role", role), KeyValue::new("name", name)];
                    observer.observe((not_after - now).as_seconds_f64(), &labels);
                }
            })
            .build();
    }

    fn expiries(&self) -> Vec<CertificateExpiry> {
        let mut expiries = self.certificates.load().expiries.clone();
        let caller_expiries = self.caller_expiries.lock().unwrap_or_else(PoisonError::into_inner);
        expiries.extend(caller_expiries.iter().map(|(name, not_after)| CertificateExpiry {
            role: "caller",
            name: name.to_string(),
            not_after: *not_after,
        }));
        expiries
    }
}

/// Logs a warning once a day for each certificate that expires soon, until `stop`.
pub(super) async fn warn_of_expiry(monitor: Arc<ExpiryMonitor>, clock: Arc<dyn Clock>, stop: CancellationToken) {
    let mut ticks = tokio::time::interval(EXPIRY_WARNING_INTERVAL);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = stop.cancelled() => return,
        }
        for CertificateExpiry { role, name, not_after } in monitor.expiries() {
            if not_after - clock.now() < EXPIRY_WARNING_PERIOD {
                tracing::warn!(role, name, %not_after, "a certificate expires soon");
            }
        }
    }
}

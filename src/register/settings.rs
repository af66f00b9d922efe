//! Settings of the identity register.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use serde::Deserialize;
use tonic::transport::{Certificate, ClientTlsConfig, Endpoint, Identity};

use crate::confidential::is_confidential;

/// How long a connection is idle before TCP asks whether the other side is still there.
const TCP_KEEPALIVE: Duration = Duration::from_secs(30);

/// Settings of the identity register.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RegisterSettings {
    /// The address; https, or http on a loopback address.
    pub url: String,
    /// Time limit of one look-up, including retries and the successors of replaced CPR numbers.
    #[serde(with = "humantime_serde")]
    pub deadline: Duration,
    /// How often one call is made at most while the register answers `UNAVAILABLE`.
    pub attempts: u32,
    /// The pause before the second attempt. Each further pause is twice as long, and each gets a random addition.
    #[serde(with = "humantime_serde")]
    pub backoff: Duration,
    /// Required with https, not allowed with http.
    pub tls: Option<TlsFiles>,
}

/// PEM files for TLS.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsFiles {
    /// The authorities that may have issued the certificate of the register.
    pub ca: PathBuf,
    /// The client certificate of this service, if the register requires one.
    pub certificate: Option<PathBuf>,
    /// The private key of `certificate`.
    pub key: Option<PathBuf>,
}

impl Default for RegisterSettings {
    fn default() -> Self {
        Self {
            url: String::new(),
            deadline: Duration::from_secs(2),
            attempts: 3,
            backoff: Duration::from_millis(50),
            tls: None,
        }
    }
}

impl RegisterSettings {
    /// Refuses settings that can never work or that would send CPR numbers over an unencrypted connection.
    pub fn check(&self) -> anyhow::Result<()> {
        self.endpoint().map(drop)
    }

    /// The endpoint that these settings describe.
    pub(super) fn endpoint(&self) -> anyhow::Result<Endpoint> {
        let endpoint =
            Endpoint::from_shared(self.url.clone()).context("url: is missing or no URL; write https://host:port")?;
        let uri = endpoint.uri();
        let is_https = uri.scheme_str() == Some("https");
        ensure!(
            is_confidential(uri.scheme_str().unwrap_or_default(), uri.host().unwrap_or_default()),
            "url: must be https (http only on a loopback address)"
        );
        let endpoint = match &self.tls {
            Some(files) if is_https => endpoint.tls_config(files.load()?).context("tls")?,
            Some(_) => bail!("tls: must be left out with http"),
            None if is_https => bail!("tls: https needs at least tls.ca"),
            None => endpoint,
        };
        // No HTTP/2 keepalive: see `connection`. TCP keepalive finds connections that died while they were idle.
        Ok(endpoint.connect_timeout(self.deadline).tcp_keepalive(Some(TCP_KEEPALIVE)))
    }
}

impl TlsFiles {
    /// Reads the files.
    fn load(&self) -> anyhow::Result<ClientTlsConfig> {
        let config = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(read_file("tls.ca", &self.ca)?));
        ensure!(self.certificate.is_some() == self.key.is_some(), "tls: certificate and key belong together");
        let (Some(certificate), Some(key)) = (&self.certificate, &self.key) else { return Ok(config) };
        Ok(config.identity(Identity::from_pem(read_file("tls.certificate", certificate)?, read_file("tls.key", key)?)))
    }
}

/// Reads the file that a setting names.
fn read_file(setting: &str, path: &Path) -> anyhow::Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("{setting}: cannot read {}", path.display()))
}

//! Where the register is and how patiently it is asked.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use serde::Deserialize;
use tonic::transport::{Certificate, ClientTlsConfig, Endpoint, Identity};

use crate::confidential::is_confidential;

/// Settings of the identity register.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RegisterSettings {
    /// Address; https, or http on a loopback address.
    pub url: String,
    /// Time limit of one look-up, with its retries and the replaced CPR numbers that it follows.
    #[serde(with = "humantime_serde")]
    pub deadline: Duration,
    /// How often a question is asked, at most, while the register answers `UNAVAILABLE`.
    pub attempts: u32,
    /// Pause before the second attempt. Each further one is twice as long, and a random part is added.
    #[serde(with = "humantime_serde")]
    pub backoff: Duration,
    /// Needed with https.
    pub tls: Option<TlsFiles>,
}

/// PEM files for TLS.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsFiles {
    /// The authorities that the register's certificate may come from.
    pub ca: PathBuf,
    /// Our certificate, if the register asks for one.
    pub certificate: Option<PathBuf>,
    /// Its key.
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
    /// Refuses settings that can never work, or that would send CPR numbers over an open line.
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
            Some(files) if is_https => endpoint.tls_config(files.read()?).context("tls")?,
            Some(_) => bail!("tls: must be left out with http"),
            None if is_https => bail!("tls: https needs at least tls.ca"),
            None => endpoint,
        };
        // A connection that died without a word is noticed and replaced within one look-up.
        Ok(endpoint
            .connect_timeout(self.deadline)
            .http2_keep_alive_interval(self.deadline / 4)
            .keep_alive_timeout(self.deadline / 2))
    }
}

impl TlsFiles {
    fn read(&self) -> anyhow::Result<ClientTlsConfig> {
        let config = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(read("tls.ca", &self.ca)?));
        ensure!(self.certificate.is_some() == self.key.is_some(), "tls: certificate and key belong together");
        let (Some(certificate), Some(key)) = (&self.certificate, &self.key) else { return Ok(config) };
        Ok(config.identity(Identity::from_pem(read("tls.certificate", certificate)?, read("tls.key", key)?)))
    }
}

fn read(setting: &str, path: &Path) -> anyhow::Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("{setting}: cannot read {}", path.display()))
}

//! Settings of an issuer of ID tokens.

use std::time::Duration;

use reqwest::Url;
use serde::Deserialize;

use crate::confidential::is_confidential;

/// An issuer, and how its tokens and keys are checked.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct IssuerSettings {
    /// The URL of the issuer, exactly as in its discovery document and in `iss`; https, or http on a loopback address.
    pub issuer: String,
    /// The required value of `aud`: the client id that the tokens are issued to.
    pub audience: String,
    /// The name of the claim that contains the UUID of the MitID account.
    pub person_claim: String,
    /// The name of the claim that contains the level of assurance.
    pub assurance_claim: String,
    /// How much the clock of the issuer may differ from ours.
    #[serde(with = "humantime_serde")]
    pub leeway: Duration,
    /// How old the cached keys may get before they are fetched again. A key that the issuer withdraws is accepted no longer than
    /// this, as long as the issuer can be reached.
    #[serde(with = "humantime_serde")]
    pub keys_max_age: Duration,
    /// How much longer the cached keys are used while the issuer cannot be reached.
    #[serde(with = "humantime_serde")]
    pub keys_stale_age: Duration,
    /// Shortest time between two fetches, even if many tokens name unknown keys.
    #[serde(with = "humantime_serde")]
    pub refresh_interval: Duration,
    /// Time limit of one fetch.
    #[serde(with = "humantime_serde")]
    pub timeout: Duration,
}

impl Default for IssuerSettings {
    fn default() -> Self {
        Self {
            issuer: String::new(),
            audience: String::new(),
            person_claim: "mitid.uuid".into(),
            assurance_claim: "loa".into(),
            leeway: Duration::from_secs(5),
            keys_max_age: Duration::from_secs(15 * 60),
            keys_stale_age: Duration::from_secs(3600),
            refresh_interval: Duration::from_secs(10),
            timeout: Duration::from_secs(2),
        }
    }
}

impl IssuerSettings {
    /// Refuses an issuer whose keys would be fetched over an unencrypted connection.
    pub fn check(&self) -> Result<(), IssuerUrlError> {
        secure_url(&self.issuer).map(drop)
    }
}

/// The URL is not one that keys may be fetched from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be an https URL (http only on a loopback address)")]
pub struct IssuerUrlError;

/// Parses a URL that keys may be fetched from: https, or http on a loopback address.
pub(super) fn secure_url(text: &str) -> Result<Url, IssuerUrlError> {
    let url = Url::parse(text).map_err(|_| IssuerUrlError)?;
    if is_confidential(url.scheme(), url.host_str().unwrap_or_default()) { Ok(url) } else { Err(IssuerUrlError) }
}

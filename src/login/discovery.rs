//! Fetches the keys of an issuer: first its discovery document, which names the address of the keys (OpenID Connect Discovery
//! 1.0, section 4).

use anyhow::{Context as _, ensure};
use reqwest::{Client, Url};
use serde::Deserialize;

use super::key_set::KeySet;
use super::settings::secure_url;

/// Longest document that is accepted, in bytes.
const MAX_DOCUMENT_LENGTH: usize = 256 * 1024;

/// The fields of the discovery document that this service uses.
#[derive(Deserialize)]
struct DiscoveryDocument {
    issuer: String,
    jwks_uri: String,
}

/// Fetches the discovery document and the keys. Fails if there is no key that could sign our tokens.
pub(super) async fn fetch_keys(http: &Client, issuer: &str) -> anyhow::Result<KeySet> {
    let address = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
    let document = fetch(http, secure_url(&address)?).await.context("discovery document")?;
    let document: DiscoveryDocument = serde_json::from_slice(&document).context("discovery document")?;
    // Section 4.3. Without this check one issuer could publish keys in the name of another.
    ensure!(document.issuer == issuer, "the discovery document is another issuer's");

    let address = secure_url(&document.jwks_uri).context("jwks_uri")?;
    let keys = KeySet::parse(&fetch(http, address).await.context("keys")?).context("keys")?;
    ensure!(!keys.is_empty(), "no key for RS256, PS256 or ES256 with an id among the keys");
    Ok(keys)
}

/// Fetches one document.
async fn fetch(http: &Client, url: Url) -> anyhow::Result<Vec<u8>> {
    let mut response = http.get(url.clone()).send().await?.error_for_status()?;
    // A redirect could lead from https to http.
    ensure!(*response.url() == url, "the issuer redirects");
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        ensure!(body.len() + chunk.len() <= MAX_DOCUMENT_LENGTH, "longer than {MAX_DOCUMENT_LENGTH} bytes");
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

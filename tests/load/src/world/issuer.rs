//! OIDC issuers. Their keys belong to the installation: the service asks for new ones only now and then.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use uuid::Uuid;

/// The issuer of persons' logins. Also the audience of its tokens.
pub(crate) const PERSONS: &str = "persons";
/// The workforce issuer, likewise.
pub(crate) const AGENTS: &str = "agents";

/// An issuer.
pub(crate) struct Issuer {
    name: &'static str,
    url: String,
    key_id: String,
    key: EncodingKey,
    point: (String, String),
}

impl Issuer {
    /// Writes a signing key for the issuer.
    pub(crate) fn install(directory: &Path, name: &str) -> anyhow::Result<()> {
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new())
            .context("cannot make a signing key")?;
        let path = key_file(directory, name);
        fs::write(&path, document.as_ref()).with_context(|| format!("cannot write {}", path.display()))
    }

    /// The issuer with the key that was installed.
    pub(super) fn read(http: SocketAddr, directory: &Path, name: &'static str) -> anyhow::Result<Self> {
        let path = key_file(directory, name);
        let document = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &document)
            .map_err(|rejected| anyhow::anyhow!("cannot read the signing key: {rejected}"))?;
        // An uncompressed point: 04, x, y (SEC 1, 2.3.3).
        let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
        let point = (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y));
        let key = EncodingKey::from_ec_der(&document);
        Ok(Self { name, url: url(http, name), key_id: point.0.clone(), key, point })
    }

    pub(super) const fn name(&self) -> &'static str {
        self.name
    }

    pub(super) fn discovery(&self) -> Value {
        json!({ "issuer": self.url, "jwks_uri": format!("{}/jwks", self.url) })
    }

    pub(super) fn jwks(&self) -> Value {
        let (x, y) = &self.point;
        json!({ "keys": [
            { "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": self.key_id, "x": x, "y": y },
        ] })
    }

    /// The ID token of somebody who has just logged in.
    pub(crate) fn id_token(&self, account: Uuid, nonce: &str, now: DateTime<Utc>) -> anyhow::Result<String> {
        let claims = json!({
            "iss": self.url,
            "sub": account,
            "aud": self.name,
            "iat": now.timestamp(),
            "exp": (now + TimeDelta::hours(2)).timestamp(),
            "auth_time": now.timestamp(),
            "loa": "Substantial",
            "mitid.uuid": account,
            "nonce": nonce,
        });
        let header = Header { kid: Some(self.key_id.clone()), ..Header::new(Algorithm::ES256) };
        jsonwebtoken::encode(&header, &claims, &self.key).context("cannot sign the token")
    }
}

fn key_file(directory: &Path, name: &str) -> PathBuf {
    directory.join(format!("issuer-{name}.der"))
}

/// Where an issuer is.
pub(crate) fn url(http: SocketAddr, name: &str) -> String {
    format!("http://{http}/issuers/{name}")
}

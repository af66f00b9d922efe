//! Two OIDC issuers: one for persons who log in on the web, one for the workforce. Each signs with a key of its own, made
//! at start.

use anyhow::Context as _;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use temporary_pin::domain::assurance::AssuranceLevel;
use uuid::Uuid;

/// What the claim for the level of assurance starts with.
const LEVELS: &str = "https://data.gov.dk/concept/core/nsis/";

/// An issuer.
pub struct Issuer {
    url: String,
    audience: &'static str,
    key_id: String,
    key: EncodingKey,
    /// The public point's coordinates.
    point: (String, String),
}

/// Somebody logs in.
pub struct Login {
    pub subject: String,
    pub mitid_uuid: Option<Uuid>,
    pub nonce: Option<String>,
    pub wishes: Wishes,
}

/// How a login shall differ from an ordinary one, to see it refused.
pub struct Wishes {
    /// How long ago the person authenticated.
    pub auth_age: TimeDelta,
    pub assurance: AssuranceLevel,
    pub audience: Option<String>,
    pub issuer: Option<String>,
    /// Whether the token has expired.
    pub expired: bool,
}

impl Issuer {
    /// An issuer at `url` whose tokens are meant for `audience`.
    pub fn new(url: String, audience: &'static str) -> anyhow::Result<Self> {
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new())
            .context("cannot make a signing key")?;
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document.as_ref())
            .map_err(|rejected| anyhow::anyhow!("cannot read the signing key: {rejected}"))?;
        // An uncompressed point: 04, x, y (SEC 1, 2.3.3).
        let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
        let point = (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y));
        Ok(Self {
            url,
            audience,
            key_id: point.0[..8].to_owned(),
            key: EncodingKey::from_ec_der(document.as_ref()),
            point,
        })
    }

    /// The issuer's name in its tokens, and where its discovery document is found.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Whom its tokens are meant for.
    pub fn audience(&self) -> &str {
        self.audience
    }

    /// The discovery document (OpenID Connect Discovery 1.0, section 3).
    pub fn discovery(&self) -> Value {
        json!({
            "issuer": self.url,
            "jwks_uri": format!("{}/jwks", self.url),
            "authorization_endpoint": format!("{}/authorize", self.url),
            "token_endpoint": format!("{}/token", self.url),
            "response_types_supported": ["code"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["ES256"],
        })
    }

    /// The public keys (RFC 7517).
    pub fn jwks(&self) -> Value {
        let (x, y) = &self.point;
        json!({ "keys": [
            { "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": self.key_id, "x": x, "y": y },
        ] })
    }

    /// An ID token, valid for ten minutes.
    pub fn id_token(&self, login: &Login, now: DateTime<Utc>) -> anyhow::Result<String> {
        let wishes = &login.wishes;
        let issued = if wishes.expired { now - TimeDelta::minutes(30) } else { now };
        let mut claims = json!({
            "iss": wishes.issuer.as_ref().unwrap_or(&self.url),
            "sub": login.subject,
            "aud": wishes.audience.as_deref().unwrap_or(self.audience),
            "iat": issued.timestamp(),
            "nbf": issued.timestamp(),
            "exp": (issued + TimeDelta::minutes(10)).timestamp(),
            "auth_time": (now - wishes.auth_age).timestamp(),
            "loa": format!("{LEVELS}{}", wishes.assurance.as_str()),
        });
        if let Some(uuid) = login.mitid_uuid {
            claims["mitid.uuid"] = json!(uuid);
        }
        if let Some(nonce) = &login.nonce {
            claims["nonce"] = json!(nonce);
        }
        let header = Header { kid: Some(self.key_id.clone()), ..Header::new(Algorithm::ES256) };
        jsonwebtoken::encode(&header, &claims, &self.key).context("cannot sign the token")
    }
}

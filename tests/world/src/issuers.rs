//! The OIDC issuers: one for persons who log in on the web, one for agents and clerks.

use std::sync::Arc;

use anyhow::Context as _;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use temporary_pin::domain::assurance::AssuranceLevel;
use temporary_pin::login::Broker;
use uuid::Uuid;

use crate::brokers::BrokerIssuers;

/// What the claim for the level of assurance starts with.
const ASSURANCE_PREFIX: &str = "https://data.gov.dk/concept/core/nsis/";

/// Name and audience of the issuer of persons' logins.
pub const WEB: (&str, &str) = ("web", "temporary-pin-web");
/// Name and audience of the issuer of agents' logins.
pub const WORKFORCE: (&str, &str) = ("workforce", "temporary-pin-workforce");

/// The claim of an agent's token with the agent's roles, and the role of a professional witness.
pub const ROLE_CLAIM: &str = "roles";
pub const PROFESSIONAL_WITNESS: &str = "professional-witness";

/// All issuers, which one HTTP server serves.
pub struct Issuers {
    pub web: Issuer,
    pub workforce: Issuer,
    /// In the forms of real brokers.
    pub brokers: BrokerIssuers,
}

/// An issuer with its signing key.
pub struct Issuer {
    url: String,
    audience: &'static str,
    key_id: String,
    key: EncodingKey,
    /// The coordinates x and y of the public key.
    point: (String, String),
}

/// A person or agent logs in.
pub struct Login {
    pub subject: String,
    pub mitid_uuid: Option<Uuid>,
    pub cpr_number: Option<String>,
    pub nonce: Option<String>,
    /// The agent is a professional witness.
    pub is_professional_witness: bool,
    pub options: LoginOptions,
}

/// What tests can make different from an ordinary login, mostly to see the token rejected.
pub struct LoginOptions {
    /// How long ago the person authenticated.
    pub auth_age: TimeDelta,
    pub assurance: AssuranceLevel,
    /// In place of the issuer's own audience.
    pub audience: Option<String>,
    /// In place of the issuer's own URL.
    pub issuer: Option<String>,
    pub is_expired: bool,
    /// Brokers alone: the person logs in as part of a business.
    pub is_business: bool,
    /// How long the token is valid.
    pub lifetime: TimeDelta,
}

impl Default for LoginOptions {
    fn default() -> Self {
        Self {
            auth_age: TimeDelta::zero(),
            assurance: AssuranceLevel::Substantial,
            audience: None,
            issuer: None,
            is_expired: false,
            is_business: false,
            lifetime: TimeDelta::minutes(10),
        }
    }
}

impl Issuers {
    /// Issuers with new keys. `http_url` is the URL of the server that serves [`Self::routes`].
    pub fn generate(http_url: &str) -> anyhow::Result<Self> {
        let issuer = |(name, audience)| Issuer::with_key(url(http_url, name), audience, &generate_key()?);
        Ok(Self { web: issuer(WEB)?, workforce: issuer(WORKFORCE)?, brokers: BrokerIssuers::new(http_url) })
    }

    /// The discovery documents and keys, at the issuers' URLs.
    pub fn routes(self: &Arc<Self>) -> Router {
        let discovery_document = async |State(issuers): State<Arc<Self>>, Path(name): Path<String>| {
            issuers.find(&name).map(|issuer| Json(discovery(&issuer.url())))
        };
        let key_set = async |State(issuers): State<Arc<Self>>, Path(name): Path<String>| {
            issuers.find(&name)?.key_set().map(Json).map_err(|error| {
                (StatusCode::INTERNAL_SERVER_ERROR, Json(json!({ "field": null, "error": format!("{error:#}") })))
            })
        };
        Router::new()
            .route("/issuers/{name}/.well-known/openid-configuration", get(discovery_document))
            .route("/issuers/{name}/jwks", get(key_set))
            .with_state(Arc::clone(self))
    }

    fn find(&self, name: &str) -> Result<AnyIssuer<'_>, (StatusCode, Json<Value>)> {
        let broker = || Broker::ALL.into_iter().find(|broker| broker.as_str() == name);
        let unknown = || json!({ "field": null, "error": "the issuers are web, workforce and the names of brokers" });
        match name {
            _ if name == WEB.0 => Ok(AnyIssuer::Own(&self.web)),
            _ if name == WORKFORCE.0 => Ok(AnyIssuer::Own(&self.workforce)),
            _ => broker()
                .map(|broker| AnyIssuer::Broker(&self.brokers, broker))
                .ok_or_else(|| (StatusCode::NOT_FOUND, Json(unknown()))),
        }
    }
}

/// One of the issuers.
enum AnyIssuer<'a> {
    Own(&'a Issuer),
    Broker(&'a BrokerIssuers, Broker),
}

impl AnyIssuer<'_> {
    fn url(&self) -> String {
        match self {
            Self::Own(issuer) => issuer.url.clone(),
            Self::Broker(brokers, broker) => brokers.url(*broker),
        }
    }

    fn key_set(&self) -> anyhow::Result<Value> {
        match self {
            Self::Own(issuer) => Ok(issuer.key_set()),
            Self::Broker(brokers, _) => brokers.key_set(),
        }
    }
}

/// The discovery document (OpenID Connect Discovery 1.0, section 3).
fn discovery(url: &str) -> Value {
    json!({
        "issuer": url,
        "jwks_uri": format!("{url}/jwks"),
        "authorization_endpoint": format!("{url}/authorize"),
        "token_endpoint": format!("{url}/token"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["ES256", "RS256"],
    })
}

/// When the token was issued: now, or so long ago that it has expired.
pub(crate) fn issue_time(options: &LoginOptions, now: DateTime<Utc>) -> DateTime<Utc> {
    if options.is_expired { now - options.lifetime - TimeDelta::minutes(20) } else { now }
}

/// The URL of an issuer on that HTTP server. Its discovery document is below.
#[must_use]
pub fn url(http_url: &str, name: &str) -> String {
    format!("{http_url}/issuers/{name}")
}

/// Makes a signing key, in PKCS #8.
pub fn generate_key() -> anyhow::Result<Vec<u8>> {
    let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new())
        .context("cannot make a signing key")?;
    Ok(document.as_ref().to_vec())
}

impl Issuer {
    /// An issuer that signs with the key in `pkcs8`.
    pub fn with_key(url: String, audience: &'static str, pkcs8: &[u8]) -> anyhow::Result<Self> {
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8)
            .map_err(|rejected| anyhow::anyhow!("cannot read the signing key: {rejected}"))?;
        // An uncompressed point: 04, x, y (SEC 1, 2.3.3).
        let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
        let point = (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y));
        Ok(Self { url, audience, key_id: point.0[..8].to_owned(), key: EncodingKey::from_ec_der(pkcs8), point })
    }

    /// The issuer's name in its tokens, and the URL above its discovery document.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    #[must_use]
    pub const fn audience(&self) -> &'static str {
        self.audience
    }

    /// The public keys (RFC 7517).
    fn key_set(&self) -> Value {
        let (x, y) = &self.point;
        json!({ "keys": [
            { "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": self.key_id, "x": x, "y": y },
        ] })
    }

    /// Signs the ID token of a login.
    pub fn id_token(&self, login: &Login, now: DateTime<Utc>) -> anyhow::Result<String> {
        let options = &login.options;
        let issued = issue_time(options, now);
        let mut claims = json!({
            "iss": options.issuer.as_ref().unwrap_or(&self.url),
            "sub": login.subject,
            "aud": options.audience.as_deref().unwrap_or(self.audience),
            "iat": issued.timestamp(),
            "nbf": issued.timestamp(),
            "exp": (issued + options.lifetime).timestamp(),
            "auth_time": (now - options.auth_age).timestamp(),
            "loa": format!("{ASSURANCE_PREFIX}{}", options.assurance.as_str()),
        });
        if let Some(uuid) = login.mitid_uuid {
            claims["mitid.uuid"] = json!(uuid);
        }
        if login.is_professional_witness {
            claims[ROLE_CLAIM] = json!(["employee", PROFESSIONAL_WITNESS]);
        }
        if let Some(nonce) = &login.nonce {
            claims["nonce"] = json!(nonce);
        }
        let header = Header { kid: Some(self.key_id.clone()), ..Header::new(Algorithm::ES256) };
        jsonwebtoken::encode(&header, &claims, &self.key).context("cannot sign the token")
    }
}

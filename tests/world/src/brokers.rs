//! Issuers whose tokens have the form of real brokers of MitID (persons) and of Entra ID (agents). Each is trusted by the profile
//! of its name.

use std::sync::OnceLock;

use anyhow::Context as _;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair, RsaPublicKeyComponents};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};
use temporary_pin::domain::assurance::AssuranceLevel;
use temporary_pin::login::Broker;

use crate::issuers::{self, Login};

/// The audience of all brokers' tokens of persons, and of Entra's tokens of agents.
pub const PERSONS_AUDIENCE: &str = "temporary-pin-web";
pub const AGENTS_AUDIENCE: &str = "temporary-pin-workforce";

const KEY_ID: &str = "broker-key";
const NSIS: &str = "https://data.gov.dk/concept/core/nsis/";

/// Entra's authentication contexts that mean a level, as the sandbox's service is configured.
pub const ENTRA_SUBSTANTIAL: &str = "c1";
pub const ENTRA_HIGH: &str = "c2";

/// All brokers. They share one RSA key, which is made when the first token or key set is asked for.
pub struct BrokerIssuers {
    http_url: String,
    key: OnceLock<RsaKeyPair>,
}

/// What a broker answers to a login.
pub struct BrokerTokens {
    pub id_token: String,
    pub userinfo_token: Option<String>,
}

impl BrokerIssuers {
    #[must_use]
    pub fn new(http_url: &str) -> Self {
        Self { http_url: http_url.to_owned(), key: OnceLock::new() }
    }

    /// The issuer's name in its tokens.
    #[must_use]
    pub fn url(&self, broker: Broker) -> String {
        issuers::url(&self.http_url, broker.as_str())
    }

    #[must_use]
    pub const fn audience(broker: Broker) -> &'static str {
        if broker.is_for_agents() { AGENTS_AUDIENCE } else { PERSONS_AUDIENCE }
    }

    /// The public key (RFC 7517), without `alg`, as Entra publishes it.
    pub(crate) fn key_set(&self) -> anyhow::Result<Value> {
        let public = RsaPublicKeyComponents::<Vec<u8>>::from(self.key()?.public_key());
        let base64 = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        Ok(json!({ "keys": [
            { "kty": "RSA", "use": "sig", "kid": KEY_ID, "n": base64(&public.n), "e": base64(&public.e) },
        ] }))
    }

    /// The tokens of a login, in the form of the broker.
    pub fn tokens(&self, broker: Broker, login: &Login, now: DateTime<Utc>) -> anyhow::Result<BrokerTokens> {
        let options = &login.options;
        let issued = issuers::issue_time(options, now);
        let (seconds, expiry) = (issued.timestamp(), (issued + options.lifetime).timestamp());
        let mut common = json!({
            "iss": options.issuer.clone().unwrap_or_else(|| self.url(broker)),
            "aud": options.audience.as_deref().unwrap_or(Self::audience(broker)),
            "iat": seconds,
            "exp": expiry,
        });
        let userinfo = (broker == Broker::Signaturgruppen).then(|| {
            let mut claims = common.clone();
            add(&mut claims, &self.signaturgruppen_userinfo(login, now));
            claims
        });
        if let Some(nonce) = &login.nonce {
            common["nonce"] = json!(nonce);
        }
        add(&mut common, &id_claims(broker, login, now));
        Ok(BrokerTokens {
            id_token: self.sign("JWT", &common)?,
            userinfo_token: userinfo.map(|claims| self.sign("at+jwt", &claims)).transpose()?,
        })
    }

    fn signaturgruppen_userinfo(&self, login: &Login, now: DateTime<Utc>) -> Value {
        json!({
            "sub": login.subject,
            "mitid.uuid": login.mitid_uuid,
            "mitid.has_cpr": login.cpr_number.is_some().to_string(),
            "loa": format!("{NSIS}{}", login.options.assurance.as_str()),
            "identity_type": identity_type(login),
            "idp": "mitid",
            "auth_time": (now - login.options.auth_age).timestamp().to_string(),
        })
    }

    fn sign(&self, typ: &str, claims: &Value) -> anyhow::Result<String> {
        let base64 = |text: String| URL_SAFE_NO_PAD.encode(text);
        let header = json!({ "alg": "RS256", "kid": KEY_ID, "typ": typ });
        let message = format!("{}.{}", base64(header.to_string()), base64(claims.to_string()));
        let key = self.key()?;
        let mut signature = vec![0; key.public_modulus_len()];
        key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message.as_bytes(), &mut signature)
            .context("cannot sign the token")?;
        Ok(format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }

    fn key(&self) -> anyhow::Result<&RsaKeyPair> {
        if let Some(key) = self.key.get() {
            return Ok(key);
        }
        let key = RsaKeyPair::generate(KeySize::Rsa2048).context("cannot make an RSA key")?;
        Ok(self.key.get_or_init(|| key))
    }
}

const fn identity_type(login: &Login) -> &'static str {
    if login.options.is_business { "professional" } else { "private" }
}

/// The claims of the ID token that are the broker's own.
fn id_claims(broker: Broker, login: &Login, now: DateTime<Utc>) -> Value {
    let level = login.options.assurance.as_str();
    let nsis = format!("{NSIS}{level}");
    let login_time = now - login.options.auth_age;
    let auth_time = login_time.timestamp();
    let identity_type = identity_type(login);
    match broker {
        Broker::Signaturgruppen => json!({
            "sub": login.subject, "auth_time": auth_time, "amr": ["code_app"], "idp": "mitid", "identity_type": identity_type,
            "acr": nsis, "loa": nsis, "ial": nsis, "aal": nsis,
        }),
        // Its `iat` is the time of the login.
        Broker::Eident => json!({
            "sub": login.mitid_uuid.map(|uuid| format!("mitid:{uuid}")), "mitid.uuid": login.mitid_uuid, "amr": ["mitid"],
            "iat": auth_time, "identity_type": identity_type, "loa": nsis,
        }),
        Broker::Idura => {
            let kind = if login.options.is_business { "business".to_owned() } else { level.to_ascii_lowercase() };
            let acr = format!("urn:grn:authn:dk:mitid:{kind}");
            json!({
                "sub": format!("{{{}}}", login.subject), "uuid": login.mitid_uuid, "identityscheme": "dkmitid",
                "authenticationtype": acr, "acr": acr, "loA": level.to_ascii_uppercase(), "auth_time": auth_time,
                "authenticationinstant": login_time.to_rfc3339_opts(SecondsFormat::Millis, true),
            })
        }
        Broker::Signicat => json!({
            "sub": login.subject, "auth_time": auth_time, "idp": if login.options.is_business { "mitid-business" } else { "mitid" },
            "mitid_uuid": login.mitid_uuid, "mitid_loa": level.to_ascii_uppercase(), "acr": level.to_ascii_lowercase(),
        }),
        Broker::NemloginBridge => {
            let kind = if login.options.is_business { "professional" } else { "person" };
            json!({
                "sub": format!("https://data.gov.dk/model/core/eid/{kind}/uuid/{}", login.subject), "auth_time": auth_time,
                "https://data.gov.dk/concept/core/nsis/loa": level,
                "https://data.gov.dk/model/core/eid/cprNumber": login.cpr_number,
            })
        }
        Broker::Entra => {
            let contexts = match login.options.assurance {
                AssuranceLevel::Low => json!([]),
                AssuranceLevel::Substantial => json!([ENTRA_SUBSTANTIAL]),
                AssuranceLevel::High => json!([ENTRA_SUBSTANTIAL, ENTRA_HIGH]),
            };
            json!({ "sub": login.subject, "oid": login.subject, "ver": "2.0", "auth_time": auth_time, "acrs": contexts })
        }
    }
}

fn add(claims: &mut Value, more: &Value) {
    for (name, value) in more.as_object().into_iter().flatten() {
        claims[name] = value.clone();
    }
}

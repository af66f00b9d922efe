//! ID tokens.

use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Duration;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use temporary_pin::domain::person::{MitidUuid, PersonReference};
use temporary_pin::login::{IdTokenVerifier, IssuerSettings, LoginError, Subjects, WebLoginTokens};
use tokio::runtime::{Builder, Runtime};

use super::{first_line, loopback, text};

const AUDIENCE: &str = "temporary-pin";
const NONCE: &str = "0f1e2d3c";
const LOGIN_AGE: Duration = Duration::from_secs(300);
const AGENT_LOGIN_AGE: Duration = Duration::from_secs(12 * 3600);
const LEEWAY: i64 = 60;

/// 2026-11-24T12:00:00Z.
const NOW: i64 = 1_795_521_600;

struct World {
    runtime: Runtime,
    persons: IdTokenVerifier,
    agents: IdTokenVerifier,
    issuer: String,
    key: EcdsaKeyPair,
}

static WORLD: LazyLock<Mutex<World>> = LazyLock::new(|| {
    let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key");
    let point = key.public_key().as_ref();
    let jwk = json!({
        "kty": "EC", "crv": "P-256", "alg": "ES256", "kid": "key-1",
        "x": URL_SAFE_NO_PAD.encode(&point[1..33]), "y": URL_SAFE_NO_PAD.encode(&point[33..]),
    });
    let issuer = Arc::new(Mutex::new(String::new()));
    let served = Arc::clone(&issuer);
    let address = loopback::serve(Arc::new(move |path| {
        let issuer = served.lock().unwrap_or_else(PoisonError::into_inner);
        let document = match path {
            "/jwks" => json!({ "keys": [jwk] }),
            _ => json!({ "issuer": *issuer, "jwks_uri": format!("{issuer}/jwks") }),
        };
        (200, document.to_string().into_bytes())
    }));
    let url = format!("http://{address}");
    issuer.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&url);
    let settings = IssuerSettings { issuer: url.clone(), audience: AUDIENCE.into(), ..IssuerSettings::default() };
    let http = reqwest::Client::builder().build().expect("an HTTP client");
    let verifier = |subjects| IdTokenVerifier::new(vec![settings.clone()], subjects, &http).expect("settings");
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    let (persons, agents) = (verifier(Subjects::Persons), verifier(Subjects::Agents));
    Mutex::new(World { runtime, persons, agents, issuer: url, key })
});

/// Input: a whole token, or `<header>\n<claims>`, which the issuer then signs. `$ISSUER` is the issuer's address.
///
/// An unsigned token is never accepted. A token of the issuer is accepted only with the claims that the service requires.
pub fn id_token(data: &[u8]) -> bool {
    let world = WORLD.lock().unwrap_or_else(PoisonError::into_inner);
    let now = DateTime::<Utc>::from_timestamp(NOW, 0).expect("a time");
    let verify = |token: &str| {
        let tokens = WebLoginTokens { id_token: token, userinfo_token: None, nonce: NONCE };
        let person = world.runtime.block_on(world.persons.verify_web_login(&tokens, now, LOGIN_AGE));
        (person, world.runtime.block_on(world.agents.verify_agent_login(token, now, AGENT_LOGIN_AGE)))
    };
    let (header, claims) = first_line(data);
    if claims.is_empty() {
        let Some(token) = text(data) else { return false };
        let (person, agent) = verify(token);
        assert!(matches!(person, Err(LoginError::Denied { person: None, .. })), "{person:?}");
        assert!(matches!(agent, Err(LoginError::Denied { .. })), "{agent:?}");
        return false;
    }
    let (Some(header), Some(claims)) = (text(header), text(claims)) else { return false };
    let claims = claims.replace("$ISSUER", &world.issuer);
    let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(&claims));
    let signature = world.key.sign(&SystemRandom::new(), message.as_bytes()).expect("a signature");
    let (person, agent) = verify(&format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature)));

    let header: Value = serde_json::from_str(header).unwrap_or_default();
    let claims: Value = serde_json::from_str(&claims).unwrap_or_default();
    let time = |name: &str| claims[name].as_f64().unwrap_or(f64::NAN);
    let genuine = header["kid"] == "key-1"
        && claims["iss"] == world.issuer
        && (claims["aud"] == AUDIENCE
            || claims["aud"].as_array().is_some_and(|all| all.iter().all(|of| of == AUDIENCE)));
    let has_begun = claims.get("nbf").is_none() || time("nbf") <= (NOW + LEEWAY) as f64;
    let valid = time("exp") > (NOW - LEEWAY) as f64 && has_begun;
    match &person {
        Ok(login) => {
            assert!(genuine && valid && claims["nonce"] == NONCE, "{claims}");
            // The time of the login may be a text: seconds, or ISO 8601.
            let login_time = match &claims["auth_time"] {
                Value::String(text) => text.parse().unwrap_or_else(|_| {
                    DateTime::parse_from_rfc3339(text).map_or(f64::NAN, |time| time.timestamp_millis() as f64 / 1e3)
                }),
                _ => time("auth_time"),
            };
            let age = NOW as f64 - login_time;
            // A millisecond: `login_time` is a fraction without the microseconds.
            assert!((-(LEEWAY as f64)..=LOGIN_AGE.as_secs_f64() + 1e-3).contains(&age), "{claims}");
            assert!(claims.get("azp").is_none_or(|party| party == AUDIENCE), "{claims}");
            assert!(claims.get("identity_type").is_none_or(|of| of == "private" || of.is_array()), "{claims}");
            let uuid = claims["mitid.uuid"].as_str().and_then(|uuid| uuid.parse().ok());
            assert!(uuid.map(|uuid| PersonReference::Mitid(MitidUuid(uuid))) == Some(login.person.clone()));
        }
        Err(LoginError::Denied { person, .. }) => assert!(person.is_none() || genuine, "{claims}"),
        Err(LoginError::Unavailable) => panic!("the issuer answers"),
    }
    if let Ok(agent) = agent {
        assert!(genuine && valid && claims["sub"] == agent.subject && !agent.subject.is_empty(), "{claims}");
        assert!(!format!("{agent:?}").contains(&agent.subject) || "Agent { .. }".contains(&agent.subject));
    }
    person.is_ok()
}

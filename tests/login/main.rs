//! ID tokens of persons and agents (R22, R23) against an issuer with real keys.

#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod brokers;
mod issuer;
mod keys;
mod signatures;
mod tokens;

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use temporary_pin::domain::person::{MitidUuid, PersonReference};
use temporary_pin::domain::reason::Reason;
use temporary_pin::login::{Agent, IdTokenVerifier, IssuerSettings, LoginError, Subjects, WebLogin, WebLoginTokens};

use tokio::time::Instant;

use issuer::{FakeIssuer, SigningKey};

const NOW: i64 = 1_795_000_000;
const LOGIN_AGE: Duration = Duration::from_secs(300);
const AGENT_LOGIN_AGE: Duration = Duration::from_secs(12 * 3600);
const NONCE: &str = "n-0S6_WzA2Mj";
const PERSON: &str = "9d6cbe7c-2a4b-4d0e-9b43-6a7d1f2e3c4b";

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(seconds, 0).unwrap()
}

/// An issuer with one EC key `k1`, and verifiers of its tokens: as persons' and as agents'.
struct World {
    issuer: FakeIssuer,
    key: SigningKey,
    tokens: IdTokenVerifier,
    agents: IdTokenVerifier,
    start: Instant,
}

impl World {
    async fn new() -> Self {
        Self::with_settings(|_| ()).await
    }

    async fn with_settings(change: impl FnOnce(&mut IssuerSettings)) -> Self {
        test_support::log::install();
        let key = SigningKey::ec();
        let issuer = FakeIssuer::start(vec![key.jwk("k1", Some("ES256"))]).await;
        let mut settings = IssuerSettings {
            issuer: issuer.url.clone(),
            audience: "profile-page".into(),
            // Long, because the machine that runs the tests may be busy.
            timeout: Duration::from_secs(60),
            ..IssuerSettings::default()
        };
        change(&mut settings);
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let verifier = |subjects| IdTokenVerifier::new(vec![settings.clone()], subjects, &http).unwrap();
        let (tokens, agents) = (verifier(Subjects::Persons), verifier(Subjects::Agents));
        Self { issuer, key, tokens, agents, start: Instant::now() }
    }

    /// Moves the monotonic clock to that many seconds after the start of the test. The wall clock stays.
    async fn let_pass(&self, seconds: u64) {
        tokio::time::pause();
        tokio::time::advance(Duration::from_secs(seconds).saturating_sub(self.start.elapsed())).await;
        tokio::time::resume();
    }

    /// The claims of an acceptable login, changed by `patch`: its members replace claims, `null` removes them.
    fn claims(&self, patch: Value) -> Value {
        let mut claims = json!({
            "iss": self.issuer.url,
            "aud": "profile-page",
            "sub": "subject-17",
            "exp": NOW + 60,
            "iat": NOW - 10,
            "auth_time": NOW - 10,
            "nonce": NONCE,
            "loa": "https://data.gov.dk/concept/core/nsis/Substantial",
            "mitid.uuid": PERSON,
        });
        for (name, value) in patch.as_object().unwrap().clone() {
            if value.is_null() {
                claims.as_object_mut().unwrap().remove(&name);
            } else {
                claims[name] = value;
            }
        }
        claims
    }

    fn token(&self, patch: Value) -> String {
        self.key.sign(&json!({"alg": "ES256", "kid": "k1", "typ": "JWT"}), &self.claims(patch))
    }

    async fn web(&self, token: &str) -> Result<WebLogin, LoginError> {
        self.web_at(token, NOW).await
    }

    async fn web_at(&self, token: &str, now: i64) -> Result<WebLogin, LoginError> {
        self.tokens.verify_web_login(&tokens(token, NONCE), at(now), LOGIN_AGE).await
    }

    async fn agent(&self, token: &str) -> Result<Agent, LoginError> {
        self.agents.verify_agent_login(token, at(NOW), AGENT_LOGIN_AGE).await
    }
}

/// The tokens of a login without a userinfo token.
fn tokens<'a>(id_token: &'a str, nonce: &'a str) -> WebLoginTokens<'a> {
    WebLoginTokens { id_token, userinfo_token: None, nonce }
}

fn mitid_uuid() -> MitidUuid {
    MitidUuid(PERSON.parse().unwrap())
}

fn person() -> PersonReference {
    PersonReference::Mitid(mitid_uuid())
}

/// The error for a token that is not genuine: it names no person.
fn not_genuine() -> LoginError {
    LoginError::Denied { reason: Reason::LoginNotAccepted, person: None }
}

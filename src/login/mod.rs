//! Verifies the ID tokens of persons (R23) and agents (R22).
//!
//! A token is *genuine* if the issuer signed it for our audience. The other checks (times, nonce, age of the login, assurance)
//! follow. If a genuine web login fails one of them, the error names the person, so that the login counts as a failed
//! verification (R18). Logs and errors contain nothing of a token.

mod claims;
mod discovery;
mod issuer;
mod key_set;
mod settings;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use jsonwebtoken::decode_header;

use crate::domain::assurance::AssuranceLevel;
use crate::domain::person::MitidUuid;
use crate::domain::reason::Reason;

use claims::{Claims, name_error};
use issuer::{Issuer, KeysUnavailable};

pub use settings::{IssuerSettings, IssuerUrlError};

/// Longest token that is accepted, in bytes.
const MAX_TOKEN_LENGTH: usize = 8 * 1024;

/// Lowest level of assurance of a login (R22, R23).
const MIN_ASSURANCE: AssuranceLevel = AssuranceLevel::Substantial;

/// The verified login of a person on the web.
#[derive(Clone, Debug)]
pub struct WebLogin {
    pub mitid_uuid: MitidUuid,
    pub assurance: AssuranceLevel,
}

/// A verified support agent or clerk. Issuer and subject are left out of `Debug`.
#[derive(Clone)]
pub struct Agent {
    /// The issuer of the workforce login.
    pub issuer: String,
    /// The id of the agent at that issuer.
    pub subject: String,
    /// The agent's own MitID account, if the token names it. An agent may not serve themself or be the witness (R20).
    pub mitid_uuid: Option<MitidUuid>,
}

impl fmt::Debug for Agent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Agent").finish_non_exhaustive()
    }
}

/// Why a token is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LoginError {
    /// The token is refused.
    #[error("the login is not accepted")]
    Denied {
        /// The reason for the caller.
        reason: Reason,
        /// The person, if the token is a genuine web login.
        person: Option<MitidUuid>,
    },
    /// The keys of the issuer cannot be fetched, so the token cannot be checked.
    #[error("the issuer of ID tokens cannot be reached")]
    Unavailable,
}

impl From<KeysUnavailable> for LoginError {
    fn from(_: KeysUnavailable) -> Self {
        Self::Unavailable
    }
}

/// Verifies the ID tokens of one issuer. Share one instance, because it caches the keys of the issuer.
pub struct IdTokenVerifier {
    issuer: Arc<Issuer>,
}

impl IdTokenVerifier {
    /// A verifier that has not fetched keys yet.
    pub fn new(settings: IssuerSettings, http: reqwest::Client) -> Result<Self, IssuerUrlError> {
        settings.check()?;
        Ok(Self { issuer: Arc::new(Issuer::new(settings, http)) })
    }

    /// Verifies the login of a person (R23). The login may be at most `login_age` old.
    ///
    /// The caller of this function must ensure that a nonce is used only once. It may forget a nonce `login_age` after the
    /// `auth_time` of the token, because the token is then too old.
    pub async fn verify_web_login(
        &self,
        token: &str,
        nonce: &str,
        now: DateTime<Utc>,
        login_age: Duration,
    ) -> Result<WebLogin, LoginError> {
        let settings = self.issuer.settings();
        let claims = self.check_genuine(token, Reason::LoginNotAccepted, now).await?;
        let mitid_uuid = claims
            .mitid_uuid(&settings.person_claim)
            .ok_or_else(|| log_denial(Reason::LoginNotAccepted, None, "person claim"))?;
        let deny = |reason, check| log_denial(reason, Some(mitid_uuid), check);

        claims.check_times(now, settings.leeway).map_err(|check| deny(Reason::LoginNotAccepted, check))?;
        if !claims.has_nonce(nonce) {
            return Err(deny(Reason::LoginNotAccepted, "nonce"));
        }
        let auth_time = claims
            .time("auth_time")
            .filter(|auth_time| *auth_time <= now + settings.leeway)
            .ok_or_else(|| deny(Reason::LoginNotAccepted, "auth_time"))?;
        if auth_time < now - login_age {
            return Err(deny(Reason::LoginTooOld, "age of the login"));
        }
        let assurance = claims
            .assurance(&settings.assurance_claim)
            .filter(|assurance| *assurance >= MIN_ASSURANCE)
            .ok_or_else(|| deny(Reason::AssuranceTooLow, "assurance"))?;
        Ok(WebLogin { mitid_uuid, assurance })
    }

    /// Verifies the login of an agent (R22).
    pub async fn verify_agent_login(&self, token: &str, now: DateTime<Utc>) -> Result<Agent, LoginError> {
        let settings = self.issuer.settings();
        let claims = self.check_genuine(token, Reason::AgentNotAccepted, now).await?;
        let deny = |check| log_denial(Reason::AgentNotAccepted, None, check);

        claims.check_times(now, settings.leeway).map_err(deny)?;
        let subject = claims.text("sub").filter(|subject| !subject.is_empty()).ok_or_else(|| deny("sub"))?;
        if claims.assurance(&settings.assurance_claim).is_none_or(|assurance| assurance < MIN_ASSURANCE) {
            return Err(deny("assurance"));
        }
        Ok(Agent {
            issuer: settings.issuer.clone(),
            subject: subject.to_owned(),
            mitid_uuid: claims.mitid_uuid(&settings.person_claim),
        })
    }

    /// The claims of a genuine token: our issuer signed it for our audience. `reason`: the reason if it is not genuine.
    async fn check_genuine(&self, token: &str, reason: Reason, now: DateTime<Utc>) -> Result<Claims, LoginError> {
        let deny = |check| log_denial(reason, None, check);
        let deny_because = |check, cause| log_denial_with_cause(reason, None, check, Some(cause));
        if token.len() > MAX_TOKEN_LENGTH {
            return Err(deny("length"));
        }
        let header = decode_header(token).map_err(|error| deny_because("header", name_error(&error)))?;
        // `typ` tells access and logout tokens of the same issuer apart. `crit` names extensions that the receiver must
        // understand; this service understands none.
        if header.typ.is_some_and(|typ| !typ.eq_ignore_ascii_case("JWT")) || header.crit.is_some() {
            return Err(deny("header"));
        }
        let kid = header.kid.ok_or_else(|| deny("key id"))?;
        let key = self.issuer.key(&kid, now).await?.ok_or_else(|| deny("key id"))?;
        let claims = Claims::verify_signature(token, &key).map_err(|cause| deny_because("signature", cause))?;
        claims.check_parties(self.issuer.settings()).map_err(deny)?;
        Ok(claims)
    }
}

/// Logs which check failed, for the engineer who connects an issuer. The caller gets the reason only.
fn log_denial(reason: Reason, person: Option<MitidUuid>, check: &'static str) -> LoginError {
    log_denial_with_cause(reason, person, check, None)
}

/// Like [`log_denial`], with the error that made the check fail.
fn log_denial_with_cause(
    reason: Reason,
    person: Option<MitidUuid>,
    check: &'static str,
    cause: Option<&'static str>,
) -> LoginError {
    tracing::info!(?reason, check, cause, "an ID token was refused");
    LoginError::Denied { reason, person }
}

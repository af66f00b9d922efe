//! ID tokens of persons and agents (R22, R23).
//!
//! A token is *genuine* when the issuer signed it for our audience. Whether a genuine token is acceptable (its times,
//! nonce, age of the login, assurance) is judged after that, and a refusal then names the person, so that it counts as
//! a failed verification (R18). Nothing of a token reaches logs or errors.

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

use claims::Claims;
use issuer::{Issuer, KeysUnavailable};

pub use settings::{IssuerSettings, IssuerUrlError};

/// Longest token that is looked at, in bytes.
const MAX_TOKEN_LENGTH: usize = 8 * 1024;

/// Least assurance of a login (R22, R23).
const LEAST_ASSURANCE: AssuranceLevel = AssuranceLevel::Substantial;

/// A person's own login on the web.
#[derive(Clone, Debug)]
pub struct WebLogin {
    /// Who logged in.
    pub mitid_uuid: MitidUuid,
    /// How sure that is.
    pub assurance: AssuranceLevel,
}

/// A support agent or clerk. Issuer and subject are masked in `Debug`.
#[derive(Clone)]
pub struct Agent {
    /// The workforce issuer.
    pub issuer: String,
    /// Who it is, as that issuer says.
    pub subject: String,
    /// The agent's own MitID account, when the token names it: nobody witnesses for themselves (R20).
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
        /// What the caller is told.
        reason: Reason,
        /// Whose login it is, when a web login is genuine but not acceptable.
        person: Option<MitidUuid>,
    },
    /// The issuer's keys cannot be had; nothing is known of the token.
    #[error("the issuer of ID tokens cannot be reached")]
    Unavailable,
}

impl From<KeysUnavailable> for LoginError {
    fn from(_: KeysUnavailable) -> Self {
        Self::Unavailable
    }
}

/// Verifies the ID tokens of one issuer. Share it: it keeps the issuer's keys.
pub struct IdTokenVerifier {
    issuer: Arc<Issuer>,
}

impl IdTokenVerifier {
    /// A verifier that has fetched nothing yet.
    pub fn new(settings: IssuerSettings, http: reqwest::Client) -> Result<Self, IssuerUrlError> {
        settings.check()?;
        Ok(Self { issuer: Arc::new(Issuer::new(settings, http)) })
    }

    /// Verifies a person's login (R23) that is at most `login_age` old. That a nonce serves once is the caller's to see
    /// to; a nonce can be forgotten `login_age` after `auth_time`.
    pub async fn verify_web_login(
        &self,
        token: &str,
        nonce: &str,
        now: DateTime<Utc>,
        login_age: Duration,
    ) -> Result<WebLogin, LoginError> {
        let settings = self.issuer.settings();
        let claims = self.genuine(token, Reason::LoginNotAccepted, now).await?;
        let mitid_uuid = claims
            .mitid_uuid(&settings.person_claim)
            .ok_or_else(|| denied(Reason::LoginNotAccepted, None, "person claim"))?;
        let deny = |reason, check| denied(reason, Some(mitid_uuid), check);

        claims.check_times(now, settings.leeway).map_err(|check| deny(Reason::LoginNotAccepted, check))?;
        if !claims.has_nonce(nonce) {
            return Err(deny(Reason::LoginNotAccepted, "nonce"));
        }
        let auth_time = claims
            .instant("auth_time")
            .filter(|auth_time| *auth_time <= now + settings.leeway)
            .ok_or_else(|| deny(Reason::LoginNotAccepted, "auth_time"))?;
        if auth_time < now - login_age {
            return Err(deny(Reason::LoginTooOld, "age of the login"));
        }
        let assurance = claims
            .assurance(&settings.assurance_claim)
            .filter(|assurance| *assurance >= LEAST_ASSURANCE)
            .ok_or_else(|| deny(Reason::AssuranceTooLow, "assurance"))?;
        Ok(WebLogin { mitid_uuid, assurance })
    }

    /// Verifies an agent's token (R22).
    pub async fn verify_agent_login(&self, token: &str, now: DateTime<Utc>) -> Result<Agent, LoginError> {
        let settings = self.issuer.settings();
        let claims = self.genuine(token, Reason::AgentNotAccepted, now).await?;
        let deny = |check| denied(Reason::AgentNotAccepted, None, check);

        claims.check_times(now, settings.leeway).map_err(deny)?;
        let subject = claims.text("sub").filter(|subject| !subject.is_empty()).ok_or_else(|| deny("sub"))?;
        if claims.assurance(&settings.assurance_claim).is_none_or(|assurance| assurance < LEAST_ASSURANCE) {
            return Err(deny("assurance"));
        }
        Ok(Agent {
            issuer: settings.issuer.clone(),
            subject: subject.to_owned(),
            mitid_uuid: claims.mitid_uuid(&settings.person_claim),
        })
    }

    /// The claims of a token that our issuer signed for our audience. Times are not checked yet.
    async fn genuine(&self, token: &str, reason: Reason, now: DateTime<Utc>) -> Result<Claims, LoginError> {
        let deny = |check| denied(reason, None, check);
        if token.len() > MAX_TOKEN_LENGTH {
            return Err(deny("length"));
        }
        let header = decode_header(token).map_err(|_| deny("header"))?;
        // Access and logout tokens of the same issuer say so in `typ`; `crit` names extensions that must be understood.
        if header.typ.is_some_and(|typ| !typ.eq_ignore_ascii_case("JWT")) || header.crit.is_some() {
            return Err(deny("header"));
        }
        let kid = header.kid.ok_or_else(|| deny("key id"))?;
        let key = self.issuer.key(&kid, now).await?.ok_or_else(|| deny("key id"))?;
        let claims = Claims::open(token, &key).ok_or_else(|| deny("signature"))?;
        claims.check_parties(self.issuer.settings()).map_err(deny)?;
        Ok(claims)
    }
}

/// Notes which check failed, for whoever sets an issuer up; the caller is told the reason alone.
fn denied(reason: Reason, person: Option<MitidUuid>, check: &'static str) -> LoginError {
    tracing::info!(?reason, check, "an ID token was refused");
    LoginError::Denied { reason, person }
}

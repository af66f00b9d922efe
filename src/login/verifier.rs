//! Verifies the ID tokens of persons (R23) and agents (R22).

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use jsonwebtoken::decode_header;

use super::claims::{Claims, name_error};
use super::failed_check::FailedCheck;
use super::issuer::{Issuer, KeysUnavailable};
use super::settings::{IssuerSettings, IssuerUrlError, Subjects};
use super::{Agent, LoginError, WebLogin, WebLoginTokens};
use crate::domain::assurance::AssuranceLevel;
use crate::domain::person::PersonReference;
use crate::domain::reason::Reason;

/// Longest token that is accepted, in bytes.
const MAX_TOKEN_LENGTH: usize = 8 * 1024;

/// Lowest level of assurance of a login (R22, R23).
const MIN_ASSURANCE: AssuranceLevel = AssuranceLevel::Substantial;

/// Verifies the ID tokens of persons, or those of agents. Share one instance, because it caches the keys of the issuers.
pub struct IdTokenVerifier {
    issuers: Vec<Arc<Issuer>>,
}

/// What a token is used as.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum TokenUse {
    IdToken,
    /// Beside an ID token, to name its person.
    Userinfo,
}

/// Why a token is not genuine.
pub(super) enum NotGenuine {
    Failed(FailedCheck),
    Unavailable,
}

impl From<FailedCheck> for NotGenuine {
    fn from(check: FailedCheck) -> Self {
        Self::Failed(check)
    }
}

impl From<KeysUnavailable> for NotGenuine {
    fn from(_: KeysUnavailable) -> Self {
        Self::Unavailable
    }
}

impl IdTokenVerifier {
    /// A verifier that has not fetched keys yet.
    pub fn new(
        issuers: Vec<IssuerSettings>,
        subjects: Subjects,
        http: &reqwest::Client,
    ) -> Result<Self, IssuerUrlError> {
        issuers.iter().try_for_each(IssuerSettings::check)?;
        let issuers = issuers.into_iter();
        Ok(Self { issuers: issuers.map(|settings| Arc::new(Issuer::new(settings, subjects, http.clone()))).collect() })
    }

    /// Verifies the login of a person (R23). The login may be at most `login_age` old.
    ///
    /// The caller of this function must ensure that a nonce is used only once. It may forget a nonce `login_age` after the
    /// time of the login, because the token is then too old.
    pub async fn verify_web_login(
        &self,
        tokens: &WebLoginTokens<'_>,
        now: DateTime<Utc>,
        login_age: Duration,
    ) -> Result<WebLogin, LoginError> {
        let refuse = |error| log_denial(error, Reason::LoginNotAccepted, None);
        let (issuer, claims) = self.check_genuine(tokens.id_token).await.map_err(refuse)?;
        let person = check_person(&issuer, &claims, tokens.userinfo_token, now).await.map_err(refuse)?;

        let deny = |reason, check: FailedCheck| log_denial(check.into(), reason, Some(&person));
        let not_accepted = |check| deny(Reason::LoginNotAccepted, check);
        let (rules, leeway) = (issuer.rules(), issuer.settings().leeway);
        claims.check_expiry(now, leeway).map_err(not_accepted)?;
        claims.check_start(now, leeway).map_err(not_accepted)?;
        claims.check_nonce(tokens.nonce).map_err(not_accepted)?;
        rules.check_required(&claims).map_err(not_accepted)?;
        let login_time = rules.login_time(&claims).map_err(not_accepted)?;
        check_login_time(login_time, now, leeway).map_err(not_accepted)?;
        check_login_age(login_time, now, login_age).map_err(|check| deny(Reason::LoginTooOld, check))?;
        let assurance = rules.assurance(&claims).and_then(check_assurance);
        let assurance = assurance.map_err(|check| deny(Reason::AssuranceTooLow, check))?;
        Ok(WebLogin { person, assurance })
    }

    /// Verifies the login of an agent (R22). The login may be at most `login_age` old, however long the token is valid.
    pub async fn verify_agent_login(
        &self,
        token: &str,
        now: DateTime<Utc>,
        login_age: Duration,
    ) -> Result<Agent, LoginError> {
        let verified = self.check_agent(token, now, login_age).await;
        verified.map(|(_, _, agent)| agent).map_err(|error| log_denial(error, Reason::AgentNotAccepted, None))
    }

    /// Verifies the login of an agent who vouches as a professional witness (R20). As with a person's login, the nonce must be the
    /// one that was sent with it, and the caller of this function ensures that it is used only once.
    pub async fn verify_professional_witness(
        &self,
        tokens: &WebLoginTokens<'_>,
        now: DateTime<Utc>,
        login_age: Duration,
    ) -> Result<Agent, LoginError> {
        let refuse = |error| log_denial(error, Reason::WitnessLoginNotAccepted, None);
        let (issuer, claims, agent) = self.check_agent(tokens.id_token, now, login_age).await.map_err(refuse)?;
        claims.check_nonce(tokens.nonce).map_err(|check| refuse(check.into()))?;
        issuer.rules().check_professional_witness(&claims).map_err(|check| refuse(check.into()))?;
        Ok(agent)
    }

    /// Whether the token says that it is from one of these issuers, for our audience. Nothing is checked yet.
    #[must_use]
    pub fn is_addressed(&self, token: &str) -> bool {
        let Ok(claims) = Claims::read_unchecked(token) else { return false };
        self.find_issuer(token).is_ok_and(|issuer| claims.check_audience(&issuer.settings().audience).is_ok())
    }

    async fn check_agent(
        &self,
        token: &str,
        now: DateTime<Utc>,
        login_age: Duration,
    ) -> Result<(Arc<Issuer>, Claims, Agent), NotGenuine> {
        let (issuer, claims) = self.check_genuine(token).await?;
        let (rules, leeway) = (issuer.rules(), issuer.settings().leeway);
        claims.check_expiry(now, leeway)?;
        claims.check_start(now, leeway)?;
        let subject = check_subject(&claims)?.to_owned();
        rules.check_required(&claims)?;
        let login_time = rules.login_time(&claims)?;
        check_login_time(login_time, now, leeway)?;
        check_login_age(login_time, now, login_age)?;
        let assurance = rules.assurance(&claims).and_then(check_assurance)?;
        // A claim that cannot be read is no missing claim: nobody could see whether agents serve themselves.
        let person = rules.person(&claims)?;
        let agent = Agent { issuer: issuer.settings().issuer.clone(), subject, person, assurance };
        Ok((issuer, claims, agent))
    }

    /// The issuer and the claims of a genuine token: one of our issuers signed it for our audience.
    async fn check_genuine(&self, token: &str) -> Result<(Arc<Issuer>, Claims), NotGenuine> {
        let kid = check_header(token, TokenUse::IdToken)?;
        let issuer = self.find_issuer(token)?;
        let claims = check_signature(issuer, token, &kid).await?;
        claims.check_audience(&issuer.settings().audience)?;
        Ok((Arc::clone(issuer), claims))
    }

    /// The issuer that the token names.
    pub(super) fn find_issuer(&self, token: &str) -> Result<&Arc<Issuer>, FailedCheck> {
        let claims = Claims::read_unchecked(token)?;
        let name = claims.text("iss").ok_or(FailedCheck::Issuer)?;
        self.issuers.iter().find(|issuer| issuer.settings().issuer == name).ok_or(FailedCheck::Issuer)
    }
}

/// Checks the header and returns the key's id.
pub(super) fn check_header(token: &str, token_use: TokenUse) -> Result<String, FailedCheck> {
    if token.len() > MAX_TOKEN_LENGTH {
        return Err(FailedCheck::Length);
    }
    let header = decode_header(token).map_err(|error| FailedCheck::Header(Some(name_error(&error))))?;
    // `typ` tells access and logout tokens of the same issuer apart. A broker may serve userinfo as an access token.
    let is_allowed = |typ: &str| {
        let typ = typ.to_ascii_lowercase();
        typ == "jwt" || token_use == TokenUse::Userinfo && typ == "at+jwt"
    };
    if !header.typ.as_deref().is_none_or(is_allowed) {
        return Err(FailedCheck::Type);
    }
    // `crit` names extensions that the receiver must understand; this service understands none.
    if header.crit.is_some() {
        return Err(FailedCheck::Header(Some("crit")));
    }
    header.kid.ok_or(FailedCheck::KeyId)
}

/// The claims, if a key of the issuer signed them.
pub(super) async fn check_signature(issuer: &Arc<Issuer>, token: &str, kid: &str) -> Result<Claims, NotGenuine> {
    let mut cause = FailedCheck::KeyId;
    for key in issuer.find_keys(kid).await? {
        match Claims::verify_signature(token, &key) {
            Ok(claims) => return Ok(claims),
            Err(error) => cause = FailedCheck::Signature(error),
        }
    }
    Err(cause.into())
}

/// The person of the login: named by the ID token, or by the userinfo token of the same login.
pub(super) async fn check_person(
    issuer: &Arc<Issuer>,
    claims: &Claims,
    userinfo_token: Option<&str>,
    now: DateTime<Utc>,
) -> Result<PersonReference, NotGenuine> {
    let person = issuer.rules().person(claims)?;
    match (person, userinfo_token) {
        (_, Some(_)) if !issuer.rules().takes_userinfo_token => Err(FailedCheck::UserinfoNotExpected.into()),
        (Some(person), None) => Ok(person),
        (None, None) if issuer.rules().takes_userinfo_token => Err(FailedCheck::UserinfoMissing.into()),
        (None, None) => Err(FailedCheck::Person.into()),
        (person, Some(token)) => {
            let by_userinfo = check_userinfo(issuer, claims, token, now).await.map_err(|error| match error {
                NotGenuine::Failed(check) => NotGenuine::Failed(FailedCheck::Userinfo(Box::new(check))),
                NotGenuine::Unavailable => NotGenuine::Unavailable,
            })?;
            // Both tokens may name the person, but not different ones.
            if person.is_some_and(|person| person != by_userinfo) {
                return Err(FailedCheck::UserinfoSubject.into());
            }
            Ok(by_userinfo)
        }
    }
}

/// The person whom the userinfo token names: same issuer, same audience, same subject as the ID token.
async fn check_userinfo(
    issuer: &Arc<Issuer>,
    id_claims: &Claims,
    token: &str,
    now: DateTime<Utc>,
) -> Result<PersonReference, NotGenuine> {
    let kid = check_header(token, TokenUse::Userinfo)?;
    let claims = check_signature(issuer, token, &kid).await?;
    let (settings, rules) = (issuer.settings(), issuer.rules());
    if claims.text("iss") != Some(&settings.issuer) {
        return Err(FailedCheck::Issuer.into());
    }
    claims.check_audience(&settings.audience)?;
    claims.check_expiry(now, settings.leeway)?;
    claims.check_start(now, settings.leeway)?;
    if check_subject(id_claims)? != check_subject(&claims)? {
        return Err(FailedCheck::UserinfoSubject.into());
    }
    rules.check_required_of_userinfo(&claims)?;
    Ok(rules.person(&claims)?.ok_or(FailedCheck::Person)?)
}

pub(super) fn check_subject(claims: &Claims) -> Result<&str, FailedCheck> {
    claims.text("sub").filter(|subject| !subject.is_empty()).ok_or(FailedCheck::Subject)
}

/// Refuses a login in the future.
pub(super) fn check_login_time(
    login_time: DateTime<Utc>,
    now: DateTime<Utc>,
    leeway: Duration,
) -> Result<(), FailedCheck> {
    if login_time <= now + leeway { Ok(()) } else { Err(FailedCheck::LoginTime) }
}

pub(super) fn check_login_age(
    login_time: DateTime<Utc>,
    now: DateTime<Utc>,
    max_age: Duration,
) -> Result<(), FailedCheck> {
    if login_time >= now - max_age { Ok(()) } else { Err(FailedCheck::LoginAge) }
}

pub(super) fn check_assurance(level: AssuranceLevel) -> Result<AssuranceLevel, FailedCheck> {
    if level >= MIN_ASSURANCE { Ok(level) } else { Err(FailedCheck::Assurance) }
}

/// Logs which check failed, for the engineer who connects an issuer. The caller gets the reason only.
fn log_denial(error: NotGenuine, reason: Reason, person: Option<&PersonReference>) -> LoginError {
    match error {
        NotGenuine::Unavailable => LoginError::Unavailable,
        NotGenuine::Failed(check) => {
            tracing::info!(?reason, %check, "an ID token was refused");
            LoginError::Denied { reason, person: person.cloned() }
        }
    }
}

//! Examines a token for the engineer who connects an issuer: every check, not only the first that fails, and the setting that
//! would take the token. Tells names and forms of claims, never their values.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::WebLoginTokens;
use super::broker::{Broker, rules_for_persons};
use super::claims::Claims;
use super::failed_check::FailedCheck;
use super::issuer::Issuer;
use super::settings::Subjects;
use super::token_rules::TokenRules;
use super::verifier::{
    IdTokenVerifier, NotGenuine, TokenUse, check_assurance, check_header, check_login_age, check_login_time,
    check_person, check_signature, check_subject,
};
use crate::domain::cpr::CprNumber;

/// Length of a UUID's text.
const UUID_LENGTH: usize = 36;

/// The result of one check.
pub struct Finding {
    pub check: &'static str,
    /// Why the check fails, and what would help.
    pub problem: Option<(String, String)>,
}

/// The findings so far.
#[derive(Default)]
struct Findings(Vec<Finding>);

impl Findings {
    /// Adds a check. Returns its value if it passes.
    fn add<T>(
        &mut self,
        check: &'static str,
        result: Result<T, impl Into<NotGenuine>>,
        advise: impl FnOnce(&FailedCheck) -> String,
    ) -> Option<T> {
        let (value, problem) = match result.map_err(Into::into) {
            Ok(value) => (Some(value), None),
            Err(NotGenuine::Failed(failed)) => (None, Some((failed.to_string(), advise(&failed)))),
            Err(NotGenuine::Unavailable) => {
                let problem = "the issuer's keys cannot be fetched; the log tells why".to_owned();
                (None, Some((problem, "check the issuer's address and the way to it".into())))
            }
        };
        self.0.push(Finding { check, problem });
        value
    }
}

impl IdTokenVerifier {
    /// Makes every check of a login. Without a nonce, the nonce is not checked.
    pub async fn examine(
        &self,
        tokens: &WebLoginTokens<'_>,
        subjects: Subjects,
        now: DateTime<Utc>,
        login_age: Duration,
    ) -> Vec<Finding> {
        let mut findings = Findings::default();
        let kid = findings.add("header", check_header(tokens.id_token, TokenUse::IdToken), advise_on_header);
        let issuer = findings.add("issuer", self.find_issuer(tokens.id_token), |_| {
            "set issuer to the token's iss, exactly as in the issuer's discovery document".into()
        });
        let Some(issuer) = issuer else { return findings.0 };
        let signed = match kid {
            Some(kid) => findings.add("signature", check_signature(issuer, tokens.id_token, &kid).await, |_| {
                "no published key of this issuer signed this text: is the token whole, and of this environment?".into()
            }),
            None => None,
        };
        // Other checks tell something even of a token that nobody signed.
        if let Some(claims) = signed.or_else(|| Claims::read_unchecked(tokens.id_token).ok()) {
            examine_claims(&mut findings, issuer, &claims, tokens, subjects, now, login_age).await;
        }
        findings.0
    }
}

async fn examine_claims(
    findings: &mut Findings,
    issuer: &Arc<Issuer>,
    claims: &Claims,
    tokens: &WebLoginTokens<'_>,
    subjects: Subjects,
    now: DateTime<Utc>,
    login_age: Duration,
) {
    let (rules, settings) = (issuer.rules(), issuer.settings());
    findings.add("audience", claims.check_audience(&settings.audience), |failed| match failed {
        FailedCheck::AuthorizedParty => "azp names another client: the token was issued to it, not to us".into(),
        _ => "set audience to the client id in the token's aud; a token for several clients is not accepted".into(),
    });
    let is_expired = |_: &FailedCheck| {
        "take a token that is still valid; if it is, the clocks differ by more than leeway".to_owned()
    };
    findings.add("exp", claims.check_expiry(now, settings.leeway), is_expired);
    findings.add("nbf", claims.check_start(now, settings.leeway), is_expired);
    if !tokens.nonce.is_empty() {
        findings.add("nonce", claims.check_nonce(tokens.nonce), |_| "send the nonce of this login".into());
    }
    findings.add("required claims", rules.check_required(claims), |_| {
        "business identities and other identity providers are refused by this; if the token is a person's MitID login, set \
         required_claims"
            .into()
    });
    match subjects {
        Subjects::Persons => {
            let person = check_person(issuer, claims, tokens.userinfo_token, now).await;
            findings.add("person", person, |failed| advise_on_person(failed, claims));
        }
        Subjects::Agents => {
            findings.add("subject", check_subject(claims), |_| "the token has no sub".into());
        }
    }
    let login_time = findings.add("login time", rules.login_time(claims), |_| advise_on_login_time(rules, claims));
    if let Some(login_time) = login_time {
        let not_ahead = check_login_time(login_time, now, settings.leeway);
        findings.add("age of the login", not_ahead.and_then(|()| check_login_age(login_time, now, login_age)), |_| {
            "let the frontend send prompt=login and max_age; the issuer may have answered from a session".into()
        });
    }
    let assurance = rules.assurance(claims).and_then(check_assurance);
    findings.add("assurance", assurance, |_| advise_on_assurance(rules, claims));
    advise_on_broker(findings, settings.broker, claims, subjects);
}

fn advise_on_header(failed: &FailedCheck) -> String {
    match failed {
        FailedCheck::Type => {
            "this is another kind of token: give the ID token; --userinfo-token takes a userinfo token"
        }
        FailedCheck::KeyId => "the issuer must name its key (kid)",
        FailedCheck::Length => "a token may have 8192 bytes: request fewer scopes",
        _ => "the file must hold one token and nothing else",
    }
    .into()
}

fn advise_on_person(failed: &FailedCheck, claims: &Claims) -> String {
    match failed {
        FailedCheck::UserinfoMissing => return "give the userinfo token too: --userinfo-token FILE".into(),
        FailedCheck::UserinfoNotExpected => return "set userinfo_token = true if this issuer has such tokens".into(),
        FailedCheck::UserinfoSubject => return "both tokens must be of one login".into(),
        FailedCheck::Userinfo(_) => return "this is about the userinfo token".into(),
        _ => {}
    }
    let forms: Vec<String> =
        claims.all_texts().filter_map(|(name, text)| Some(format!("{name} (form {})", guess_form(text)?))).collect();
    match forms.is_empty() {
        true => "no claim holds a UUID or a CPR number: request more scopes, or a userinfo token".into(),
        false => format!(
            "set person_claim and person_form to the claim with the MitID UUID; of such a form are: {}",
            forms.join(", ")
        ),
    }
}

/// The form of a text that may name a person. What stands before a UUID is told only if it has no digit, for it could be one of
/// the person's numbers.
fn guess_form(text: &str) -> Option<String> {
    if CprNumber::parse(text).is_ok() {
        return Some("\"CPR\"".into());
    }
    let (text, closing) = text.strip_suffix('}').map_or((text, ""), |text| (text, "}"));
    let (before, identifier) = text.split_at_checked(text.len().checked_sub(UUID_LENGTH)?)?;
    Uuid::try_parse(identifier).ok()?;
    let is_telling = before.bytes().any(|byte| byte.is_ascii_digit());
    Some(if is_telling { "a text that ends with a UUID".into() } else { format!("\"{before}UUID{closing}\"") })
}

fn advise_on_login_time(rules: &TokenRules, claims: &Claims) -> String {
    let times: Vec<&str> =
        claims.names().filter(|name| !["exp", "nbf"].contains(name) && claims.login_time(name).is_some()).collect();
    let present: Vec<&str> =
        rules.login_time_claims.iter().map(String::as_str).filter(|claim| claims.has(claim)).collect();
    format!(
        "looked for {}, found {}; set login_time_claims. Claims that hold a time: {}. With max_age, issuers send auth_time",
        rules.login_time_claims.join(", "),
        list(&present),
        list(&times)
    )
}

fn advise_on_assurance(rules: &TokenRules, claims: &Claims) -> String {
    let present: Vec<&str> =
        rules.assurance_claims.iter().map(String::as_str).filter(|claim| claims.has(claim)).collect();
    let every_spelling = rules_for_persons().levels;
    let levels: Vec<String> = claims
        .all_texts()
        .filter_map(|(name, text)| Some(format!("{name} ({})", every_spelling.find(text)?.as_str())))
        .collect();
    let levels: Vec<&str> = levels.iter().map(String::as_str).collect();
    format!(
        "looked for {}, found {}; each found must have a value of levels, and mean Substantial or more. Claims with a known \
         level: {}",
        rules.assurance_claims.join(", "),
        list(&present),
        list(&levels)
    )
}

/// Names the brokers whose profile would read these claims, if the settings do not.
fn advise_on_broker(findings: &mut Findings, current: Option<Broker>, claims: &Claims, subjects: Subjects) {
    const CHECKS: [&str; 4] = ["required claims", "person", "login time", "assurance"];
    if !findings.0.iter().any(|finding| finding.problem.is_some() && CHECKS.contains(&finding.check)) {
        return;
    }
    let would_read = |broker: &Broker| {
        let rules = broker.profile();
        let person = rules.person(claims);
        Some(*broker) != current
            && broker.is_for_agents() == (subjects == Subjects::Agents)
            && rules.check_required(claims).is_ok()
            && rules.login_time(claims).is_ok()
            && rules.assurance(claims).is_ok()
            && person.is_ok_and(|person| person.is_some() || rules.takes_userinfo_token)
    };
    for broker in Broker::ALL.iter().filter(|broker| would_read(broker)) {
        let problem =
            ("not of these settings".to_owned(), format!("broker = \"{}\" would read these claims", broker.as_str()));
        findings.0.push(Finding { check: "broker", problem: Some(problem) });
    }
}

fn list(names: &[&str]) -> String {
    if names.is_empty() { "none".into() } else { names.join(", ") }
}

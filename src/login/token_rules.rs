//! How an issuer's tokens are read: which claims hold the person, the level and the time of the login, and which claims must
//! have which value (R22, R23).

use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::claim_form::ClaimForm;
use super::claims::Claims;
use super::failed_check::FailedCheck;
use crate::domain::assurance::AssuranceLevel;
use crate::domain::person::PersonReference;

/// The rules of one issuer: a profile, with the settings that override it.
#[derive(Clone, Debug)]
pub(super) struct TokenRules {
    pub(super) person_claim: String,
    pub(super) person_form: ClaimForm,
    /// At least one must be there. All that are there count.
    pub(super) assurance_claims: Vec<String>,
    pub(super) levels: Levels,
    /// The level of a token that has none of `assurance_claims`.
    pub(super) assumed_level: Option<AssuranceLevel>,
    /// The first that is there counts.
    pub(super) login_time_claims: Vec<String>,
    pub(super) required_claims: Vec<RequiredClaim>,
    pub(super) takes_userinfo_token: bool,
    /// Agents only: what makes an agent a professional witness (R20). `None`: nobody is one.
    pub(super) professional_witness: Option<RequiredClaim>,
}

/// The values of the assurance claims, by the level that they mean. A value that is not listed means no level.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Levels {
    pub low: Vec<String>,
    pub substantial: Vec<String>,
    pub high: Vec<String>,
}

/// A claim that must have one of some values.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequiredClaim {
    pub claim: String,
    /// In a value, `UUID` stands for a UUID.
    pub values: Vec<ClaimForm>,
    /// Whether the claim may be missing.
    #[serde(default)]
    pub if_present: bool,
}

impl RequiredClaim {
    /// Whether the claim has one of the values.
    fn is_met_by(&self, claims: &Claims) -> bool {
        claims.texts(&self.claim).into_iter().any(|text| self.values.iter().any(|value| value.matches(text)))
    }
}

impl Levels {
    /// The level that the value means.
    pub(super) fn find(&self, value: &str) -> Option<AssuranceLevel> {
        [
            (AssuranceLevel::Low, &self.low),
            (AssuranceLevel::Substantial, &self.substantial),
            (AssuranceLevel::High, &self.high),
        ]
        .into_iter()
        .find_map(|(level, values)| values.iter().any(|listed| listed == value).then_some(level))
    }

    /// Whether no value means a level.
    pub(super) const fn is_empty(&self) -> bool {
        self.low.is_empty() && self.substantial.is_empty() && self.high.is_empty()
    }
}

impl TokenRules {
    /// The person whom the token names. `None` if the claim is not there.
    pub(super) fn person(&self, claims: &Claims) -> Result<Option<PersonReference>, FailedCheck> {
        if !claims.has(&self.person_claim) {
            return Ok(None);
        }
        let person = claims.text(&self.person_claim).and_then(|text| self.person_form.read_person(text));
        person.map(Some).ok_or(FailedCheck::Person)
    }

    /// The level of the login: the lowest of those that the claims tell. Fails if a claim has a value that is not listed.
    pub(super) fn assurance(&self, claims: &Claims) -> Result<AssuranceLevel, FailedCheck> {
        let mut lowest: Option<AssuranceLevel> = None;
        for claim in self.assurance_claims.iter().filter(|claim| claims.has(claim)) {
            // A claim with several values, such as Entra's `acrs`, tells all that the login fulfils.
            let level = claims.texts(claim).into_iter().filter_map(|value| self.levels.find(value)).max();
            let level = level.ok_or(FailedCheck::Assurance)?;
            lowest = Some(lowest.map_or(level, |lowest| level.min(lowest)));
        }
        lowest.or(self.assumed_level).ok_or(FailedCheck::Assurance)
    }

    /// When the person or agent logged in.
    pub(super) fn login_time(&self, claims: &Claims) -> Result<DateTime<Utc>, FailedCheck> {
        let claim = self.login_time_claims.iter().find(|claim| claims.has(claim)).ok_or(FailedCheck::LoginTime)?;
        claims.login_time(claim).ok_or(FailedCheck::LoginTime)
    }

    /// Checks that the agent is a professional witness (R20).
    pub(super) fn check_professional_witness(&self, claims: &Claims) -> Result<(), FailedCheck> {
        match &self.professional_witness {
            Some(role) if claims.has(&role.claim) && role.is_met_by(claims) => Ok(()),
            _ => Err(FailedCheck::ProfessionalWitness),
        }
    }

    /// Checks the claims that must have certain values.
    pub(super) fn check_required(&self, claims: &Claims) -> Result<(), FailedCheck> {
        self.find_wrong_claim(claims, |required| required.if_present)
    }

    /// Checks them in a userinfo token, which need not repeat them.
    pub(super) fn check_required_of_userinfo(&self, claims: &Claims) -> Result<(), FailedCheck> {
        self.find_wrong_claim(claims, |_| true)
    }

    fn find_wrong_claim(
        &self,
        claims: &Claims,
        may_be_missing: impl Fn(&RequiredClaim) -> bool,
    ) -> Result<(), FailedCheck> {
        let is_right = |required: &RequiredClaim| {
            if !claims.has(&required.claim) {
                return may_be_missing(required);
            }
            required.is_met_by(claims)
        };
        match self.required_claims.iter().find(|required| !is_right(required)) {
            Some(wrong) => Err(FailedCheck::RequiredClaim(wrong.claim.clone())),
            None => Ok(()),
        }
    }
}

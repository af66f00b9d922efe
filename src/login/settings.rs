//! Settings of the issuers of ID tokens.

use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use reqwest::Url;
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{IntoDeserializer as _, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, de};

use super::broker::{Broker, rules_for_agents, rules_for_persons};
use super::claim_form::ClaimForm;
use super::token_rules::{Levels, RequiredClaim, TokenRules};
use crate::confidential::is_confidential;
use crate::domain::assurance::AssuranceLevel;

/// An issuer, and how its tokens and keys are checked. What is not set is as the profile of the broker says.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct IssuerSettings {
    /// The URL of the issuer, exactly as in its discovery document and in `iss`; https, or http on a loopback address.
    pub issuer: String,
    /// The required value of `aud`: the client id that the tokens are issued to.
    pub audience: String,
    pub broker: Option<Broker>,
    /// The name of the claim that names the person.
    pub person_claim: Option<String>,
    pub person_form: Option<ClaimForm>,
    /// The names of the claims that contain the level of assurance.
    #[serde(deserialize_with = "some_or_many")]
    pub assurance_claim: Option<Vec<String>>,
    pub levels: Option<Levels>,
    /// Agents only: the level of a token without any of these claims.
    pub assumed_level: Option<AssuranceLevel>,
    /// The names of the claims that can contain the time of the login.
    pub login_time_claims: Option<Vec<String>>,
    pub required_claims: Option<Vec<RequiredClaim>>,
    /// Persons only: whether a second token can name the person.
    pub userinfo_token: Option<bool>,
    /// Agents only: the claim and the values that make an agent a professional witness (R20).
    pub professional_witness: Option<RequiredClaim>,
    /// How much the clock of the issuer may differ from ours.
    #[serde(with = "humantime_serde")]
    pub leeway: Duration,
    /// How old the cached keys may get before they are fetched again. A key that the issuer withdraws is accepted no longer than
    /// this, as long as the issuer can be reached.
    #[serde(with = "humantime_serde")]
    pub keys_max_age: Duration,
    /// How much longer the cached keys are used while the issuer cannot be reached.
    #[serde(with = "humantime_serde")]
    pub keys_stale_age: Duration,
    /// Shortest time between two fetches, even if many tokens name unknown keys.
    #[serde(with = "humantime_serde")]
    pub refresh_interval: Duration,
    /// Time limit of one fetch.
    #[serde(with = "humantime_serde")]
    pub timeout: Duration,
}

impl Default for IssuerSettings {
    fn default() -> Self {
        Self {
            issuer: String::new(),
            audience: String::new(),
            broker: None,
            person_claim: None,
            person_form: None,
            assurance_claim: None,
            levels: None,
            assumed_level: None,
            login_time_claims: None,
            required_claims: None,
            userinfo_token: None,
            professional_witness: None,
            leeway: Duration::from_secs(60),
            keys_max_age: Duration::from_secs(15 * 60),
            keys_stale_age: Duration::from_secs(3600),
            refresh_interval: Duration::from_secs(10),
            timeout: Duration::from_secs(2),
        }
    }
}

/// Whose tokens an issuer issues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subjects {
    Persons,
    Agents,
}

impl IssuerSettings {
    /// Refuses an issuer whose keys would be fetched over an unencrypted connection.
    pub fn check(&self) -> Result<(), IssuerUrlError> {
        secure_url(&self.issuer).map(drop)
    }

    /// The profile of the broker, with what is set beside it.
    pub(super) fn token_rules(&self, subjects: Subjects) -> TokenRules {
        let profile = match (self.broker, subjects) {
            (Some(broker), _) => broker.profile(),
            (None, Subjects::Persons) => rules_for_persons(),
            (None, Subjects::Agents) => rules_for_agents(),
        };
        TokenRules {
            person_claim: self.person_claim.clone().unwrap_or(profile.person_claim),
            person_form: self.person_form.clone().unwrap_or(profile.person_form),
            assurance_claims: self.assurance_claim.clone().unwrap_or(profile.assurance_claims),
            levels: self.levels.clone().unwrap_or(profile.levels),
            assumed_level: self.assumed_level.or(profile.assumed_level),
            login_time_claims: self.login_time_claims.clone().unwrap_or(profile.login_time_claims),
            required_claims: self.required_claims.clone().unwrap_or(profile.required_claims),
            takes_userinfo_token: self.userinfo_token.unwrap_or(profile.takes_userinfo_token),
            professional_witness: self.professional_witness.clone().or(profile.professional_witness),
        }
    }

    /// What is wrong with the settings of the claims: the key, and the problem with a valid value.
    #[must_use]
    pub fn find_claim_problems(&self, subjects: Subjects) -> Vec<(&'static str, &'static str)> {
        let rules = self.token_rules(subjects);
        let is_for_agents = subjects == Subjects::Agents;
        let all_named = |names: &[String]| !names.is_empty() && names.iter().all(|name| !name.is_empty());
        let checks = [
            (
                self.broker.is_none_or(|broker| broker.is_for_agents() == is_for_agents),
                "broker",
                "must be \"entra\" for agents and another for persons; without a profile, leave it out and name the claims",
            ),
            (!rules.person_claim.is_empty(), "person_claim", "must be a claim's name"),
            (rules.person_form.names_a_person(), "person_form", "must contain UUID or CPR, such as \"mitid:UUID\""),
            (all_named(&rules.assurance_claims), "assurance_claim", "must be one or several names of claims"),
            (
                is_for_agents || rules.assumed_level.is_none(),
                "assumed_level",
                "is for agents alone: a person's login must tell its level",
            ),
            (
                !rules.levels.is_empty() || rules.assumed_level.is_some(),
                "levels",
                "is missing; list the values of the assurance claim that mean a level, such as { substantial = [\"c1\"] }, \
                 or set assumed_level to the level that every login at this issuer has",
            ),
            (all_named(&rules.login_time_claims), "login_time_claims", "must be one or several names of claims"),
            (
                rules.required_claims.iter().all(|required| !required.claim.is_empty() && !required.values.is_empty()),
                "required_claims",
                "must each have a claim and its values, such as { claim = \"idp\", values = [\"mitid\"] }",
            ),
            (!is_for_agents || !rules.takes_userinfo_token, "userinfo_token", "is for persons alone"),
            (
                is_for_agents || rules.professional_witness.is_none(),
                "professional_witness",
                "is for agents alone: a role at the workforce issuer",
            ),
            (
                rules.professional_witness.iter().all(|role| !role.claim.is_empty() && !role.values.is_empty()),
                "professional_witness",
                "must have a claim and its values, such as { claim = \"roles\", values = [\"professional-witness\"] }",
            ),
        ];
        checks.into_iter().filter(|(is_valid, ..)| !is_valid).map(|(_, key, problem)| (key, problem)).collect()
    }
}

/// The issuers of a section: `[section]` for one, `[[section]]` for several.
#[derive(Clone, Debug)]
pub struct IssuerList(pub Vec<IssuerSettings>);

impl Default for IssuerList {
    fn default() -> Self {
        Self(vec![IssuerSettings::default()])
    }
}

impl<'de> Deserialize<'de> for IssuerList {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OneOrMany(PhantomData)).map(Self)
    }
}

fn some_or_many<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<String>>, D::Error> {
    deserializer.deserialize_any(OneOrMany(PhantomData)).map(Some)
}

/// Reads one value or a list of them.
struct OneOrMany<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for OneOrMany<T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("one value, or a list of them")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Vec<T>, E> {
        T::deserialize(text.into_deserializer()).map(|value| vec![value])
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Vec<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(|value| vec![value])
    }

    fn visit_seq<A: SeqAccess<'de>>(self, sequence: A) -> Result<Vec<T>, A::Error> {
        Vec::deserialize(SeqAccessDeserializer::new(sequence))
    }
}

/// The URL is not one that keys may be fetched from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be an https URL (http only on a loopback address)")]
pub struct IssuerUrlError;

/// Parses a URL that keys may be fetched from: https, or http on a loopback address.
pub(super) fn secure_url(text: &str) -> Result<Url, IssuerUrlError> {
    let url = Url::parse(text).map_err(|_| IssuerUrlError)?;
    if is_confidential(url.scheme(), url.host_str().unwrap_or_default()) { Ok(url) } else { Err(IssuerUrlError) }
}

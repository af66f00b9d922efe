//! The settings of the rules: the figures that can be configured. docs/rules.md states the defaults, and
//! `deploy/temporary-pin.toml` documents each setting.
//!
//! The figures of the PIN, the hold and the eligibility are in `pin.rs`, `hold.rs` and `eligibility.rs`, beside their rules.
//! Those of verifications and limits are here.

use std::time::Duration;

use serde::Deserialize;

use super::document_list::DocumentRules;
use super::eligibility::EligibilityRules;
use super::hold::HoldRules;
use super::pin::PinRules;
use super::time_spans::{DAY, HOUR, MINUTE, REFUSAL_INTERVAL, SECOND};

/// The figures of all rules.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Rules {
    /// The PIN and how it is sent (R2, R3, R5).
    pub pin: PinRules,
    /// The hold on the web (R6, R7, R8).
    pub hold: HoldRules,
    /// Who may have a PIN (R10, R11, R14).
    pub eligibility: EligibilityRules,
    /// Verifications, documents, questions, witnesses, logins (R15–R23).
    pub verification: VerificationRules,
    /// Limits (R18, R22, R25).
    pub limits: LimitRules,
}

/// Figures of verifications.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct VerificationRules {
    /// R21: how long a PIN can be ordered with a verification.
    #[serde(with = "humantime_serde")]
    pub lifetime: Duration,
    /// R15, R19, R20: which documents are accepted.
    pub documents: DocumentRules,
    /// The setting of 0.1.0, which replaces the issuers in two lists of `documents`
    /// ([`DocumentRules::apply_document_issuers`]).
    pub document_issuers: Option<Vec<String>>,
    /// R16: how long the kinds of question of a run that was answered wrong are not asked again.
    #[serde(with = "humantime_serde")]
    pub question_memory: Duration,
    /// R16: how long the kinds of question of a run that was broken off are not asked again.
    #[serde(with = "humantime_serde")]
    pub broken_off_memory: Duration,
    /// R20: whether a witness must log in with their own MitID. Version 0.1.0 had no such logins.
    pub witness_login_required: bool,
    /// R20: minimum age of a witness in whole years.
    pub witness_minimum_age: u32,
    /// R20: a witness must have had MitID for longer than this.
    #[serde(with = "humantime_serde")]
    pub witness_enrolment: Duration,
    /// R20: how often a person may be a witness within `witness_window`.
    pub witness_times: u32,
    /// R20: the rolling window of `witness_times`.
    #[serde(with = "humantime_serde")]
    pub witness_window: Duration,
    /// R28: the offices whose clerks can confirm an identity at level High, by `office_id`.
    pub high_assurance_offices: Vec<String>,
    /// R23: maximum age of a web login.
    #[serde(with = "humantime_serde")]
    pub login_age: Duration,
    /// R22: maximum age of an agent's login.
    #[serde(with = "humantime_serde")]
    pub agent_login_age: Duration,
    /// A rejected verification is answered at a multiple of this time.
    #[serde(with = "humantime_serde")]
    pub refusal_interval: Duration,
}

impl Default for VerificationRules {
    fn default() -> Self {
        Self {
            lifetime: 15 * MINUTE,
            documents: DocumentRules::default(),
            document_issuers: None,
            question_memory: 30 * DAY,
            broken_off_memory: DAY,
            witness_login_required: true,
            witness_minimum_age: 18,
            witness_enrolment: 30 * DAY,
            witness_times: 3,
            witness_window: 120 * DAY,
            high_assurance_offices: Vec::new(),
            login_age: 5 * MINUTE,
            agent_login_age: 12 * HOUR,
            refusal_interval: REFUSAL_INTERVAL,
        }
    }
}

/// A limit: how often something may happen within a span of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    /// How often it may happen.
    pub times: u32,
    /// The span of time.
    #[serde(with = "humantime_serde")]
    pub per: Duration,
}

/// Limits. The first four hold exactly in every rolling window. The others are rates (GCRA): after a burst of `times`, room
/// returns evenly.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LimitRules {
    /// R4: wrong tries per person, over all PINs.
    pub wrong_tries: Limit,
    /// R18: failed verifications per person and channel; phone and counter.
    pub failed_verifications: Limit,
    /// R25: PINs per person.
    pub person_pins: Limit,
    /// R25: PINs per mobile number.
    pub mobile_pins: Limit,
    /// R22: verifications per agent.
    pub agent_verifications: Limit,
    /// R22: PINs per agent.
    pub agent_pins: Limit,
    /// R25: PINs of the whole service.
    pub service_pins: Limit,
    /// Calls per caller, over all RPCs. Not a rule of the product, but protection against overload.
    pub caller_calls: Limit,
}

impl Default for LimitRules {
    fn default() -> Self {
        let limit = |times, per| Limit { times, per };
        Self {
            wrong_tries: limit(10, DAY),
            failed_verifications: limit(3, DAY),
            person_pins: limit(3, DAY),
            mobile_pins: limit(5, DAY),
            agent_verifications: limit(30, HOUR),
            agent_pins: limit(20, HOUR),
            service_pins: limit(100, SECOND),
            caller_calls: limit(500, SECOND),
        }
    }
}

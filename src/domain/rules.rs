//! The configurable figures of the rules. The defaults are those that docs/rules.md states; `deploy/temporary-pin.toml`
//! documents each setting.

use std::time::Duration;

use serde::Deserialize;

use super::channel::Channel;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// Refusals are answered at a multiple of this time, so that the latency does not reveal the reason. It is longer than the
/// work for a refusal usually takes, so that usually all refusals take the same time.
const REFUSAL_INTERVAL: Duration = Duration::from_millis(250);

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

/// Figures of the PIN and how it is sent.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PinRules {
    /// R2: how long a PIN can be redeemed.
    #[serde(with = "humantime_serde")]
    pub lifetime: Duration,
    /// R3: how many wrong tries revoke a PIN.
    pub tries: u32,
    /// R5: shortest time between two sends of one PIN.
    #[serde(with = "humantime_serde")]
    pub resend_interval: Duration,
    /// R5: how often one PIN is sent at most, the first time included.
    pub sends: u32,
    /// A refused redemption is answered at a multiple of this time.
    #[serde(with = "humantime_serde")]
    pub refusal_interval: Duration,
}

impl Default for PinRules {
    fn default() -> Self {
        Self { lifetime: 10 * MINUTE, tries: 3, resend_interval: MINUTE, sends: 3, refusal_interval: REFUSAL_INTERVAL }
    }
}

/// Figures of the hold on the web.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HoldRules {
    /// R6: length of the hold, from the request for access.
    #[serde(with = "humantime_serde")]
    pub wait: Duration,
    /// R7: how long the person may order a PIN after the hold.
    #[serde(with = "humantime_serde")]
    pub access_window: Duration,
    /// R8: whether an SMS tells the person about the request for access and the end of the hold.
    pub notify: bool,
}

impl Default for HoldRules {
    fn default() -> Self {
        Self { wait: DAY, access_window: DAY, notify: true }
    }
}

/// Figures that decide who may have a PIN.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EligibilityRules {
    /// R10: how long a PIN is refused after the mobile number was registered or changed.
    #[serde(with = "humantime_serde")]
    pub mobile_quarantine: Duration,
    /// R10: the channels in which `mobile_quarantine` applies.
    pub mobile_quarantine_channels: Vec<Channel>,
    /// R11: minimum age in whole years.
    pub minimum_age: u32,
    /// R14: country calling codes, without `+`, of the numbers that a PIN may be sent to.
    pub destinations: Vec<u16>,
}

impl Default for EligibilityRules {
    fn default() -> Self {
        Self {
            mobile_quarantine: 120 * HOUR,
            mobile_quarantine_channels: vec![Channel::Phone, Channel::Web],
            minimum_age: 13,
            destinations: vec![45, 299, 298],
        }
    }
}

/// Figures of verifications.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct VerificationRules {
    /// R21: how long a PIN can be ordered with a verification.
    #[serde(with = "humantime_serde")]
    pub lifetime: Duration,
    /// R15, R19: countries (ISO 3166-1 alpha-3) whose documents are accepted without a supporting document.
    pub document_issuers: Vec<String>,
    /// R16: how long the kinds of question of a failed run are not asked again.
    #[serde(with = "humantime_serde")]
    pub question_memory: Duration,
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
    /// R23: maximum age of a web login, from its `auth_time`.
    #[serde(with = "humantime_serde")]
    pub login_age: Duration,
    /// A rejected verification is answered at a multiple of this time.
    #[serde(with = "humantime_serde")]
    pub refusal_interval: Duration,
}

impl Default for VerificationRules {
    fn default() -> Self {
        Self {
            lifetime: 15 * MINUTE,
            document_issuers: vec!["DNK".into(), "GRL".into()],
            question_memory: 30 * DAY,
            witness_minimum_age: 18,
            witness_enrolment: 30 * DAY,
            witness_times: 3,
            witness_window: 120 * DAY,
            login_age: 5 * MINUTE,
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
    /// R18: failed verifications per person, over all channels.
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

//! The figures of the rules, all of them settings. Defaults are those of the rules R1–R25; `deploy/temporary-pin.toml`
//! documents each.

use std::time::Duration;

use serde::Deserialize;

use super::channel::Channel;

const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// Longer than the work for a no usually takes, so that all of them leave at one time.
const REFUSAL_INTERVAL: Duration = Duration::from_millis(250);

/// All figures.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Rules {
    /// The PIN and its sends (R2, R3, R4, R5).
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

/// The PIN and its sends.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PinRules {
    /// R2: how long a PIN can be redeemed.
    #[serde(with = "humantime_serde")]
    pub lifetime: Duration,
    /// R3: wrong tries before a PIN is revoked.
    pub tries: u32,
    /// R5: least time between two sends of one PIN.
    #[serde(with = "humantime_serde")]
    pub resend_interval: Duration,
    /// R5: sends of one PIN in all.
    pub sends: u32,
    /// What is not redeemed is answered at a multiple of this.
    #[serde(with = "humantime_serde")]
    pub refusal_interval: Duration,
}

impl Default for PinRules {
    fn default() -> Self {
        Self {
            lifetime: Duration::from_secs(600),
            tries: 3,
            resend_interval: Duration::from_secs(60),
            sends: 3,
            refusal_interval: REFUSAL_INTERVAL,
        }
    }
}

/// The hold on the web.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HoldRules {
    /// R6: the wait after access was requested.
    #[serde(with = "humantime_serde")]
    pub wait: Duration,
    /// R7: how long after the wait the person may order.
    #[serde(with = "humantime_serde")]
    pub access_window: Duration,
    /// R8: whether the person is notified by SMS.
    pub notify: bool,
}

impl Default for HoldRules {
    fn default() -> Self {
        Self { wait: DAY, access_window: DAY, notify: true }
    }
}

/// Who may have a PIN.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EligibilityRules {
    /// R10: how long a newly registered or changed mobile number does not serve.
    #[serde(with = "humantime_serde")]
    pub mobile_quarantine: Duration,
    /// R10: where that holds.
    pub mobile_quarantine_channels: Vec<Channel>,
    /// R11: least age in whole years.
    pub minimum_age: u32,
    /// R14: country calling codes of destinations, without `+`.
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

/// Verifications.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct VerificationRules {
    /// R21: how long a verification serves.
    #[serde(with = "humantime_serde")]
    pub lifetime: Duration,
    /// R15: issuers of documents (ISO 3166-1 alpha-3) accepted without a supporting document.
    pub document_issuers: Vec<String>,
    /// R16: kinds of questions that were asked in a failed run are not asked again within this time.
    #[serde(with = "humantime_serde")]
    pub question_memory: Duration,
    /// R20: least age of a witness in whole years.
    pub witness_minimum_age: u32,
    /// R20: a witness has had MitID for longer than this.
    #[serde(with = "humantime_serde")]
    pub witness_enrolment: Duration,
    /// R20: how often somebody may witness within `witness_window`.
    pub witness_times: u32,
    /// R20: see `witness_times`.
    #[serde(with = "humantime_serde")]
    pub witness_window: Duration,
    /// R23: greatest age of a web login (`auth_time`).
    #[serde(with = "humantime_serde")]
    pub login_age: Duration,
    /// What is not verified is answered at a multiple of this.
    #[serde(with = "humantime_serde")]
    pub refusal_interval: Duration,
}

impl Default for VerificationRules {
    fn default() -> Self {
        Self {
            lifetime: Duration::from_secs(15 * 60),
            document_issuers: vec!["DNK".into(), "GRL".into()],
            question_memory: 30 * DAY,
            witness_minimum_age: 18,
            witness_enrolment: 30 * DAY,
            witness_times: 3,
            witness_window: 120 * DAY,
            login_age: Duration::from_secs(300),
            refusal_interval: REFUSAL_INTERVAL,
        }
    }
}

/// A number of times within a span.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    /// How often.
    pub times: u32,
    /// In what span.
    #[serde(with = "humantime_serde")]
    pub per: Duration,
}

/// Limits. The first four are exact over any rolling window; the others are rates.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LimitRules {
    /// R4: wrong tries per person, over all PINs.
    pub wrong_tries: Limit,
    /// R18: failed verifications per person, across channels.
    pub failed_verifications: Limit,
    /// R25: PINs per person.
    pub person_pins: Limit,
    /// R25: PINs per mobile number.
    pub mobile_pins: Limit,
    /// R22: verifications per agent.
    pub agent_verifications: Limit,
    /// R22: PINs per agent.
    pub agent_pins: Limit,
    /// R25: PINs all together.
    pub service_pins: Limit,
    /// Calls per caller, all RPCs together.
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
            service_pins: limit(100, Duration::from_secs(1)),
            caller_calls: limit(500, Duration::from_secs(1)),
        }
    }
}

//! Tries to redeem a PIN (R2, R3, R4).
//!
//! A try takes two steps, each with its own commit. [`start_try`] decides whether the PIN may be compared; a try that may is
//! counted before the comparison. [`conclude_try`] decides what the comparison leads to.
//!
//! A right PIN costs nothing. So R4 counts the tries that were wrong, and R3 revokes a PIN by its wrong tries.

use std::cmp::Reverse;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::person_limit::LimitUsage;
use super::rule_settings::Limit;

/// A try without a result is running for at most this long. After that its process has stopped before the result was
/// recorded, and the try counts as wrong.
pub const MAX_TRY_DURATION: Duration = Duration::from_secs(10);

/// The figures of the rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RedemptionRules {
    /// R3: how many wrong tries revoke a PIN.
    pub tries_per_pin: u32,
    /// R4: wrong tries of a person, over all PINs.
    pub wrong_tries: Limit,
}

/// The outcome of a try. It is stored as JSON, so that a repeat gets the same answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum RedeemOutcome {
    /// The PIN was right and is now used.
    Redeemed,
    /// The PIN was wrong, and can be tried again.
    WrongPin {
        /// How many wrong tries remain, by R3 and R4. At least 1.
        left: u32,
    },
    /// The person has no open PIN.
    NoOpenPin,
    /// The PIN is revoked, by this try or before.
    Revoked,
    /// R4: this try or an earlier one was the last wrong try of the person. The open PIN is revoked.
    BudgetExhausted {
        /// When the person may try again. `None` in answers that 0.1.0 has stored.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<DateTime<Utc>>,
    },
}

impl RedeemOutcome {
    /// The name used in the database and in metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Redeemed => "redeemed",
            Self::WrongPin { .. } => "wrong_pin",
            Self::NoOpenPin => "no_open_pin",
            Self::Revoked => "revoked",
            Self::BudgetExhausted { .. } => "budget_exhausted",
        }
    }
}

/// A counted try of a person that is not known to be right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CountedTry {
    /// The PIN request that it was counted on.
    pub pin_request_id: Uuid,
    /// When it was counted.
    pub time: DateTime<Utc>,
    /// Whether its result is recorded. If so, it was wrong.
    pub has_result: bool,
}

impl CountedTry {
    /// Whether the try may still turn out to be right.
    fn is_running(&self, now: DateTime<Utc>) -> bool {
        !self.has_result && now < self.time + MAX_TRY_DURATION
    }
}

/// The tries of a person within the window of R4 that are not known to be right, the latest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PersonTries(pub Vec<CountedTry>);

impl PersonTries {
    /// When the wrong tries were counted, the latest first. Running tries are left out.
    pub fn wrong_times(&self, now: DateTime<Utc>) -> impl Iterator<Item = DateTime<Utc>> {
        self.0.iter().filter(move |counted| !counted.is_running(now)).map(|counted| counted.time)
    }

    /// How much of R4 is used up, and until when.
    #[must_use]
    pub fn count_wrong(&self, limit: Limit, now: DateTime<Utc>) -> LimitUsage {
        LimitUsage::count(self.wrong_times(now).map(|time| (time, 1)), limit)
    }

    fn count_running(&self, now: DateTime<Utc>) -> u32 {
        count(self.0.iter().filter(|counted| counted.is_running(now)))
    }

    /// The wrong tries of a PIN on which `tries` were counted.
    fn count_wrong_on(&self, pin_request_id: Uuid, tries: u32, now: DateTime<Utc>) -> u32 {
        let is_running = |counted: &&CountedTry| counted.pin_request_id == pin_request_id && counted.is_running(now);
        tries.saturating_sub(count(self.0.iter().filter(is_running)))
    }

    /// These tries and one more, which was wrong.
    fn with_wrong(mut self, pin_request_id: Uuid, time: DateTime<Utc>) -> Self {
        self.0.push(CountedTry { pin_request_id, time, has_result: true });
        self.0.sort_by_key(|counted| Reverse(counted.time));
        self
    }
}

fn count<'a>(tries: impl Iterator<Item = &'a CountedTry>) -> u32 {
    u32::try_from(tries.count()).unwrap_or(u32::MAX)
}

/// What is on record about the request id of a try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PreviousTry {
    /// It was answered with this outcome.
    Answered(RedeemOutcome),
    /// It was counted on this PIN request and has no result yet.
    Counted(Uuid),
    /// It was used for another payload.
    OtherPayload,
}

/// The open PIN of a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenPin {
    /// The PIN request.
    pub id: Uuid,
    /// The tries that were counted on it, whatever their results.
    pub tries: u32,
}

/// What is on record when a try starts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StartFacts {
    /// The try under the same request id.
    pub previous: Option<PreviousTry>,
    /// The open PIN.
    pub open_pin: Option<OpenPin>,
    /// Whether the person's latest PIN is revoked and would not have expired yet.
    pub is_latest_pin_revoked: bool,
    /// The person's tries.
    pub person_tries: PersonTries,
}

/// What to do with a try that starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartDecision {
    /// Answer the same again.
    Replay(RedeemOutcome),
    /// Refuse the request id, which was used for another payload.
    RefuseRequestId,
    /// Compare: the try is counted already, on this PIN request.
    Resume(Uuid),
    /// Count the try on the open PIN, then compare.
    Count,
    /// Record this outcome without a comparison.
    Answer(RedeemOutcome),
    /// Do nothing: other tries of the person are running, and their results decide this one.
    WaitForOthers,
}

/// Decides whether the PIN may be compared. `is_allowed_by_guard`: Redis, too, has room for a wrong try.
#[must_use]
pub fn start_try(
    facts: &StartFacts,
    is_allowed_by_guard: bool,
    rules: &RedemptionRules,
    now: DateTime<Utc>,
) -> StartDecision {
    match facts.previous {
        Some(PreviousTry::Answered(outcome)) => return StartDecision::Replay(outcome),
        Some(PreviousTry::Counted(pin_request_id)) => return StartDecision::Resume(pin_request_id),
        Some(PreviousTry::OtherPayload) => return StartDecision::RefuseRequestId,
        None => {}
    }
    let wrong = facts.person_tries.count_wrong(rules.wrong_tries, now);
    if let Some(until) = wrong.full_until {
        return StartDecision::Answer(RedeemOutcome::BudgetExhausted { until: Some(until) });
    }
    let Some(pin) = facts.open_pin else {
        let is_revoked = facts.is_latest_pin_revoked;
        return StartDecision::Answer(if is_revoked { RedeemOutcome::Revoked } else { RedeemOutcome::NoOpenPin });
    };
    if facts.person_tries.count_wrong_on(pin.id, pin.tries, now) >= rules.tries_per_pin {
        return StartDecision::Answer(RedeemOutcome::Revoked);
    }
    let may_exceed_r3 = pin.tries >= rules.tries_per_pin;
    let may_exceed_r4 = wrong.times + facts.person_tries.count_running(now) >= rules.wrong_tries.times;
    if may_exceed_r3 || may_exceed_r4 || !is_allowed_by_guard {
        return StartDecision::WaitForOthers;
    }
    StartDecision::Count
}

/// What has become of the PIN of a counted try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TriedPin {
    /// It is open. `tries` were counted on it, this one included.
    Open { tries: u32 },
    /// It is revoked.
    Revoked,
    /// It is redeemed or has expired.
    Gone,
}

/// What is on record when the PIN of a counted try has been compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConcludeFacts {
    /// The PIN request that the try was counted on.
    pub pin_request_id: Uuid,
    /// What has become of it.
    pub pin: TriedPin,
    /// When the try was counted.
    pub try_time: DateTime<Utc>,
    /// The person's tries without this one.
    pub other_tries: PersonTries,
}

/// Decides what the comparison leads to.
#[must_use]
pub fn conclude_try(
    is_right: bool,
    facts: ConcludeFacts,
    rules: &RedemptionRules,
    now: DateTime<Utc>,
) -> RedeemOutcome {
    let ConcludeFacts { pin_request_id, pin, try_time, other_tries } = facts;
    let tries = match pin {
        TriedPin::Revoked => return RedeemOutcome::Revoked,
        TriedPin::Gone => return RedeemOutcome::NoOpenPin,
        TriedPin::Open { .. } if is_right => return RedeemOutcome::Redeemed,
        TriedPin::Open { tries } => tries,
    };
    let wrong_on_pin = other_tries.count_wrong_on(pin_request_id, tries, now);
    let wrong = other_tries.with_wrong(pin_request_id, try_time).count_wrong(rules.wrong_tries, now);
    if let Some(until) = wrong.full_until {
        return RedeemOutcome::BudgetExhausted { until: Some(until) };
    }
    let left_of_pin = rules.tries_per_pin.saturating_sub(wrong_on_pin);
    let left_of_person = rules.wrong_tries.times.saturating_sub(wrong.times);
    match left_of_pin.min(left_of_person) {
        0 => RedeemOutcome::Revoked,
        left => RedeemOutcome::WrongPin { left },
    }
}

#[cfg(test)]
mod tests;

//! Whether a person may have a PIN in a channel (R6, R7, R10–R14).

use chrono::{DateTime, Utc};

use super::calendar::{add_saturating, age_on, date_in_copenhagen, start_of_birthday};
use super::channel::Channel;
use super::cpr::{CprNumber, CprStatus};
use super::hold::{Hold, HoldState};
use super::person::{MitidAccount, Person, RegisteredMobile};
use super::reason::{Denial, Reason};
use super::rules::EligibilityRules;

/// All that speaks against a PIN for the person in the channel, in a fixed order. The hold, limits and an operator's
/// block are not facts about the person and are judged elsewhere.
#[must_use]
pub fn find_person_denials(
    person: &Person,
    channel: Channel,
    rules: &EligibilityRules,
    now: DateTime<Utc>,
) -> Vec<Denial> {
    [cpr_denial(person, channel), age_denial(person, rules, now)]
        .into_iter()
        .flatten()
        .chain(mitid_denials(person.mitid_account.as_ref(), channel, rules, now))
        .collect()
}

/// R12: what the CPR number and its status say. Somebody without a CPR number has neither.
pub(super) fn cpr_denial(person: &Person, channel: Channel) -> Option<Denial> {
    if person.cpr_number.as_ref().is_some_and(CprNumber::is_replacement) {
        return Some(Denial::lasting(Reason::CprNumberNotValid));
    }
    let reason = match person.cpr_status {
        // A number whose status nobody knows is no number to trust.
        None => person.cpr_number.as_ref().map(|_| Reason::CprNumberNotValid)?,
        Some(
            CprStatus::ActiveDenmark
            | CprStatus::ActiveDenmarkSpecialRoad
            | CprStatus::ActiveGreenland
            | CprStatus::ActiveGreenlandSpecialRoad,
        ) => return None,
        Some(CprStatus::NoResidence | CprStatus::Emigrated) if channel == Channel::Counter => return None,
        Some(CprStatus::NoResidence | CprStatus::Emigrated) => Reason::CounterOnly,
        // `Changed`: the register was not asked again with the new number.
        Some(CprStatus::Reserved | CprStatus::Annulled | CprStatus::Deleted | CprStatus::Changed) => {
            Reason::CprNumberNotValid
        }
        Some(CprStatus::Disappeared) => Reason::PersonDisappeared,
        Some(CprStatus::Dead) => Reason::PersonDead,
    };
    Some(Denial::lasting(reason))
}

/// R11.
fn age_denial(person: &Person, rules: &EligibilityRules, now: DateTime<Utc>) -> Option<Denial> {
    let too_young = age_on(person.birth_date, date_in_copenhagen(now)) < rules.minimum_age;
    too_young.then(|| Denial::until(Reason::TooYoung, start_of_birthday(person.birth_date, rules.minimum_age)))
}

/// R12–R14 and R10. Without an account nothing more can be said of it.
fn mitid_denials(
    account: Option<&MitidAccount>,
    channel: Channel,
    rules: &EligibilityRules,
    now: DateTime<Utc>,
) -> Vec<Denial> {
    let Some(account) = account else { return vec![Denial::lasting(Reason::MitidNotActive)] };
    let inactive = (!account.active).then_some(Denial::lasting(Reason::MitidNotActive));
    let Some(mobile) = &account.mobile else {
        return inactive.into_iter().chain([Denial::lasting(Reason::NoMobileNumber)]).collect();
    };
    let not_allowed =
        (!mobile.number.is_allowed(&rules.destinations)).then_some(Denial::lasting(Reason::MobileNumberNotAllowed));
    [inactive, not_allowed, quarantine_denial(mobile, channel, rules, now)].into_iter().flatten().collect()
}

/// R10.
fn quarantine_denial(
    mobile: &RegisteredMobile,
    channel: Channel,
    rules: &EligibilityRules,
    now: DateTime<Utc>,
) -> Option<Denial> {
    let until = add_saturating(mobile.change_time.unwrap_or(now), rules.mobile_quarantine);
    (rules.mobile_quarantine_channels.contains(&channel) && now < until)
        .then_some(Denial::until(Reason::MobileNumberChangedRecently, until))
}

/// R6, R7: what the hold says on the web. `None` for the hold: access was never requested, or the request was cancelled.
#[must_use]
pub fn find_hold_denial(hold: Option<&Hold>, now: DateTime<Utc>) -> Option<Denial> {
    let Some(hold) = hold else { return Some(Denial::lasting(Reason::AccessNotRequested)) };
    match hold.state(now) {
        HoldState::Running => Some(Denial::until(Reason::HoldRunning, hold.eligible_time)),
        HoldState::Passed => None,
        HoldState::Expired => Some(Denial::lasting(Reason::AccessExpired)),
    }
}

/// All that stands in the way of a PIN in this channel now: the person's own denials and, on the web, the hold.
///
/// To ask for access is no advice to somebody who could not order all the same; a running hold is always told.
#[must_use]
pub fn find_all_denials(
    person: &Person,
    channel: Channel,
    hold: Option<&Hold>,
    rules: &EligibilityRules,
    now: DateTime<Utc>,
) -> Vec<Denial> {
    let mut all = find_person_denials(person, channel, rules, now);
    if channel == Channel::Web {
        let denial = find_hold_denial(hold, now);
        all.extend(denial.filter(|denial| all.is_empty() || denial.until.is_some()));
    }
    all
}

/// The answer for one channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EligibilityStatus {
    /// Yes, now.
    Eligible,
    /// Not now, but later or after a step that the reasons name.
    NotYet,
    /// No.
    NotEligible,
}

/// The answer for one channel, with what to tell the person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelVerdict {
    /// The answer.
    pub status: EligibilityStatus,
    /// Why not; empty when eligible.
    pub reasons: Vec<Reason>,
    /// When nothing that waiting lifts stands in the way any more.
    pub next_attempt_time: Option<DateTime<Utc>>,
}

impl ChannelVerdict {
    /// Sums denials up: "not yet" if every one of them passes by waiting or, for the hold, by logging in.
    #[must_use]
    pub fn from_denials(denials: Vec<Denial>) -> Self {
        let passes = |denial: &Denial| {
            denial.until.is_some() || matches!(denial.reason, Reason::AccessNotRequested | Reason::AccessExpired)
        };
        let (status, next_attempt_time) = if denials.is_empty() {
            (EligibilityStatus::Eligible, None)
        } else if denials.iter().all(passes) {
            (EligibilityStatus::NotYet, denials.iter().filter_map(|denial| denial.until).max())
        } else {
            (EligibilityStatus::NotEligible, None)
        };
        Self { status, reasons: denials.into_iter().map(|denial| denial.reason).collect(), next_attempt_time }
    }
}

#[cfg(test)]
mod tests;

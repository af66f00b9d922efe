//! Whether a person may have a PIN in a channel (R6, R7, R10–R14).
//!
//! Each function returns *denials*: reasons against a PIN, with the time when each ends, if it ends. No denial means yes.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::calendar::{add_saturating, age_on, date_in_copenhagen, start_of_birthday};
use super::channel::Channel;
use super::cpr::{CprNumber, CprStatus};
use super::hold::{Hold, HoldState};
use super::person::{MitidAccount, Person, RegisteredMobile};
use super::reason::{Denial, Reason};
use super::time_spans::HOUR;

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

/// R10–R14: the denials that follow from what the register knows of the person, in a fixed order. The hold, the limits and a
/// block by an operator are not among them.
#[must_use]
pub fn find_person_denials(
    person: &Person,
    channel: Channel,
    rules: &EligibilityRules,
    now: DateTime<Utc>,
) -> Vec<Denial> {
    [find_cpr_denial(person, channel), find_in_person_denial(person, channel), find_age_denial(person, rules, now)]
        .into_iter()
        .flatten()
        .chain(find_mitid_denials(person.mitid_account.as_ref(), channel, rules, now))
        .collect()
}

/// R12: the denial that follows from the CPR number and its status. A person without a CPR number has none.
pub(super) fn find_cpr_denial(person: &Person, channel: Channel) -> Option<Denial> {
    if person.cpr_number.as_ref().is_some_and(CprNumber::is_replacement) {
        return Some(Denial::lasting(Reason::CprNumberNotValid));
    }
    let reason = match person.cpr_status {
        // A CPR number whose status is not known cannot be trusted.
        None => person.cpr_number.as_ref().map(|_| Reason::CprNumberNotValid)?,
        Some(
            CprStatus::ActiveDenmark
            | CprStatus::ActiveDenmarkSpecialRoad
            | CprStatus::ActiveGreenland
            | CprStatus::ActiveGreenlandSpecialRoad,
        ) => return None,
        Some(CprStatus::NoResidence | CprStatus::Emigrated) if channel == Channel::Counter => return None,
        Some(CprStatus::NoResidence | CprStatus::Emigrated) => Reason::CounterOnly,
        Some(CprStatus::NotUpdated | CprStatus::Unknown | CprStatus::Other) if channel == Channel::Counter => {
            return None;
        }
        Some(CprStatus::NotUpdated | CprStatus::Unknown | CprStatus::Other) => Reason::CprStatusUnclear,
        // `Changed` and `Deleted` get here only without a successor: if the register names one, its client returns the person
        // under the new number.
        Some(CprStatus::Reserved | CprStatus::Annulled | CprStatus::Deleted | CprStatus::Changed) => {
            Reason::CprNumberNotValid
        }
        Some(CprStatus::Disappeared) => Reason::PersonDisappeared,
        Some(CprStatus::Dead) => Reason::PersonDead,
    };
    Some(Denial::lasting(reason))
}

/// R12: the person must be seen, because of a credit warning or an uncertain birth date. Both have the same reason, so that it
/// does not reveal the credit warning, which tells that the person's identity was stolen.
fn find_in_person_denial(person: &Person, channel: Channel) -> Option<Denial> {
    let must_be_seen = person.credit_warning || !person.birth_date.is_certain();
    (must_be_seen && channel != Channel::Counter).then_some(Denial::lasting(Reason::InPersonOnly))
}

/// R11: the person is too young, or may be.
fn find_age_denial(person: &Person, rules: &EligibilityRules, now: DateTime<Utc>) -> Option<Denial> {
    let latest = person.birth_date.latest();
    let is_too_young = age_on(latest, date_in_copenhagen(now)) < rules.minimum_age;
    is_too_young.then(|| Denial::until(Reason::TooYoung, start_of_birthday(latest, rules.minimum_age)))
}

/// R12 (the MitID account is active), R13, R14 and R10. Without an account, the other three cannot be checked.
fn find_mitid_denials(
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
    [inactive, not_allowed, find_quarantine_denial(mobile, channel, rules, now)].into_iter().flatten().collect()
}

/// R10: the mobile number was registered or changed too recently. An unknown time counts as now.
fn find_quarantine_denial(
    mobile: &RegisteredMobile,
    channel: Channel,
    rules: &EligibilityRules,
    now: DateTime<Utc>,
) -> Option<Denial> {
    let until = add_saturating(mobile.change_time.unwrap_or(now), rules.mobile_quarantine);
    (rules.mobile_quarantine_channels.contains(&channel) && now < until)
        .then_some(Denial::until(Reason::MobileNumberChangedRecently, until))
}

/// R6, R7: the denial that follows from the hold, which exists on the web only. `hold` is `None` if the person never
/// requested access or the request was cancelled.
#[must_use]
pub fn find_hold_denial(hold: Option<&Hold>, now: DateTime<Utc>) -> Option<Denial> {
    let Some(hold) = hold else { return Some(Denial::lasting(Reason::AccessNotRequested)) };
    match hold.state(now) {
        HoldState::Running => Some(Denial::until(Reason::HoldRunning, hold.eligible_time)),
        HoldState::Passed => None,
        HoldState::Expired => Some(Denial::lasting(Reason::AccessExpired)),
    }
}

/// The denials of [`find_person_denials`] and, on the web, of the hold.
///
/// `AccessNotRequested` and `AccessExpired` advise the person to request access. They are left out if there is another
/// denial, because access would not help. A running hold is always listed.
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

/// Whether the person may have a PIN in a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EligibilityStatus {
    /// The person may have a PIN now.
    Eligible,
    /// The person may have a PIN later, or after a step that the reasons name.
    NotYet,
    /// The person may not have a PIN in this channel.
    NotEligible,
}

/// The answer of CheckEligibility for one channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelVerdict {
    /// Whether the person may have a PIN.
    pub status: EligibilityStatus,
    /// Why the person may not have a PIN now; empty if eligible.
    pub reasons: Vec<Reason>,
    /// With `NotYet`: when the last denial ends. `None` if no denial has an end.
    pub next_attempt_time: Option<DateTime<Utc>>,
}

impl ChannelVerdict {
    /// Summarizes denials. The status is `NotYet` if each of them ends by itself or, as for the hold, after the next login.
    #[must_use]
    pub fn from_denials(denials: Vec<Denial>) -> Self {
        let can_pass = |denial: &Denial| {
            denial.until.is_some() || matches!(denial.reason, Reason::AccessNotRequested | Reason::AccessExpired)
        };
        let (status, next_attempt_time) = if denials.is_empty() {
            (EligibilityStatus::Eligible, None)
        } else if denials.iter().all(can_pass) {
            (EligibilityStatus::NotYet, denials.iter().filter_map(|denial| denial.until).max())
        } else {
            (EligibilityStatus::NotEligible, None)
        };
        Self { status, reasons: denials.into_iter().map(|denial| denial.reason).collect(), next_attempt_time }
    }
}

#[cfg(test)]
mod tests;

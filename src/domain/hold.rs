//! The hold: the wait between a request for access on the web and the order of a PIN (R6, R7).

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::time_spans::DAY;

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

/// The times of one access request. `request_time < eligible_time < expire_time`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hold {
    pub request_time: DateTime<Utc>,
    /// When the hold has passed: from this time on the person may order a PIN.
    pub eligible_time: DateTime<Utc>,
    /// When the access window ends: from this time on the person must request access again.
    pub expire_time: DateTime<Utc>,
}

/// The state of a hold at a given time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HoldState {
    /// The person has to wait.
    Running,
    /// The wait is over. The person may order a PIN.
    Passed,
    /// The access window is over.
    Expired,
}

impl Hold {
    /// The hold of an access request made at `request_time`.
    #[must_use]
    pub fn start(request_time: DateTime<Utc>, rules: &HoldRules) -> Self {
        let eligible_time = request_time + rules.wait;
        Self { request_time, eligible_time, expire_time: eligible_time + rules.access_window }
    }

    /// The state at `now`.
    #[must_use]
    pub fn state(&self, now: DateTime<Utc>) -> HoldState {
        if now < self.eligible_time {
            HoldState::Running
        } else if now < self.expire_time {
            HoldState::Passed
        } else {
            HoldState::Expired
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::super::fixture::at;
    use super::*;

    #[rstest]
    #[case::just_requested("2026-11-23T12:00:00Z", HoldState::Running)]
    #[case::just_before_24_hours("2026-11-24T11:59:59.999999Z", HoldState::Running)]
    #[case::after_24_hours("2026-11-24T12:00:00Z", HoldState::Passed)]
    #[case::just_before_48_hours("2026-11-25T11:59:59.999999Z", HoldState::Passed)]
    #[case::after_48_hours("2026-11-25T12:00:00Z", HoldState::Expired)]
    fn r6_r7_hold_of_24_hours_then_window_of_24_hours(#[case] now: &str, #[case] state: HoldState) {
        let hold = Hold::start(at("2026-11-23T12:00:00Z"), &HoldRules::default());
        assert_eq!(hold.state(at(now)), state);
    }
}

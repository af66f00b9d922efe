//! The hold at any time after the request for access (R6, R7).

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use temporary_pin::domain::eligibility::find_hold_denial;
use temporary_pin::domain::hold::{Hold, HoldRules, HoldState};
use temporary_pin::domain::reason::Reason;

/// One hour in microseconds.
const HOUR: u64 = 3_600_000_000;

/// A time of the years 1970 to 2096.
fn any_time() -> impl Strategy<Value = DateTime<Utc>> {
    (0..4_000_000_000_000_000_i64).prop_map(|micros| DateTime::from_timestamp_micros(micros).expect("in range"))
}

/// Microseconds since access was requested: up to 200 hours, or within one microsecond of the end of the wait or of the access
/// window.
fn elapsed_micros(wait: u64, window: u64) -> impl Strategy<Value = u64> {
    prop_oneof![0..200 * HOUR, wait - 1..=wait + 1, wait + window - 1..=wait + window + 1]
}

proptest! {
    #[test]
    fn r6_r7_a_hold_passes_after_the_wait_and_expires_after_the_window(
        request_time in any_time(),
        ((wait, window), elapsed) in (HOUR..100 * HOUR, HOUR..100 * HOUR)
            .prop_flat_map(|(wait, window)| (Just((wait, window)), elapsed_micros(wait, window))),
    ) {
        let rules = HoldRules {
            wait: Duration::from_micros(wait),
            access_window: Duration::from_micros(window),
            ..HoldRules::default()
        };
        let hold = Hold::start(request_time, &rules);
        let now = request_time + TimeDelta::microseconds(i64::try_from(elapsed).expect("in range"));
        let denial = find_hold_denial(Some(&hold), now);
        if elapsed < wait {
            prop_assert_eq!(hold.state(now), HoldState::Running);
            let denial = denial.expect("a running hold denies");
            prop_assert_eq!(denial.reason, Reason::HoldRunning);
            // At the time that the denial gives, the person may order.
            prop_assert_eq!(find_hold_denial(Some(&hold), denial.until.expect("the denial has a time")), None);
        } else if elapsed < wait + window {
            prop_assert_eq!(hold.state(now), HoldState::Passed);
            prop_assert_eq!(denial, None);
        } else {
            prop_assert_eq!(hold.state(now), HoldState::Expired);
            prop_assert_eq!(denial.map(|denial| denial.reason), Some(Reason::AccessExpired));
        }
    }
}

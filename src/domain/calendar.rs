//! Days as Copenhagen counts them, and ages in whole years (R11).

use std::time::Duration;

use chrono::{DateTime, Datelike as _, NaiveDate, NaiveTime, TimeDelta, Utc};
use chrono_tz::Europe::Copenhagen;

/// The date in Copenhagen at `now`.
#[must_use]
pub fn date_in_copenhagen(now: DateTime<Utc>) -> NaiveDate {
    now.with_timezone(&Copenhagen).date_naive()
}

/// Age in whole years on `day`; 0 before the birth. Somebody born on 29 February turns older on 1 March in common years.
#[must_use]
pub fn age_on(birth_date: NaiveDate, day: NaiveDate) -> u32 {
    day.years_since(birth_date).unwrap_or(0)
}

/// The moment when somebody reaches an age of `years`: midnight in Copenhagen at the start of the birthday.
#[must_use]
pub fn birthday(birth_date: NaiveDate, years: u32) -> DateTime<Utc> {
    let year = birth_date.year().saturating_add_unsigned(years);
    let day = birth_date.with_year(year).or_else(|| NaiveDate::from_ymd_opt(year, 3, 1)).unwrap_or(NaiveDate::MAX);
    let midnight = day.and_time(NaiveTime::MIN);
    // A day that a change of the clocks robs of its midnight starts as if there were no summer time.
    midnight.and_local_timezone(Copenhagen).earliest().map_or(midnight.and_utc(), |midnight| midnight.to_utc())
}

/// `time + span`, or the end of time. For times that come from outside, where a sum must not panic.
#[must_use]
pub fn after(time: DateTime<Utc>, span: Duration) -> DateTime<Utc> {
    TimeDelta::from_std(span).ok().and_then(|span| time.checked_add_signed(span)).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

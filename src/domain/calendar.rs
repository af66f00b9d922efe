//! Dates in Copenhagen, and ages in whole years (R11).

use std::time::Duration;

use chrono::{DateTime, Datelike as _, NaiveDate, NaiveTime, TimeDelta, Utc};
use chrono_tz::Europe::Copenhagen;

/// The date in Copenhagen at `now`.
#[must_use]
pub fn date_in_copenhagen(now: DateTime<Utc>) -> NaiveDate {
    now.with_timezone(&Copenhagen).date_naive()
}

/// Parses a date of the form YYYY-MM-DD. `None` for any other text, and for a date that does not exist.
#[must_use]
pub fn parse_date(text: &str) -> Option<NaiveDate> {
    if has_date_form(text) { text.parse().ok() } else { None }
}

/// Whether the text is four digits, a hyphen, two digits, a hyphen and two digits.
#[must_use]
pub fn has_date_form(text: &str) -> bool {
    let has_form = |(at, byte): (usize, u8)| if matches!(at, 4 | 7) { byte == b'-' } else { byte.is_ascii_digit() };
    text.len() == 10 && text.bytes().enumerate().all(has_form)
}

/// Age in whole years on `day`; 0 before the birth. In a common year, a person born on 29 February has their birthday on
/// 1 March.
#[must_use]
pub fn age_on(birth_date: NaiveDate, day: NaiveDate) -> u32 {
    day.years_since(birth_date).unwrap_or(0)
}

/// The time when a person reaches the age of `years`: midnight in Copenhagen at the start of the birthday.
#[must_use]
pub fn start_of_birthday(birth_date: NaiveDate, years: u32) -> DateTime<Utc> {
    let year = birth_date.year().saturating_add_unsigned(years);
    let day = birth_date.with_year(year).or_else(|| NaiveDate::from_ymd_opt(year, 3, 1)).unwrap_or(NaiveDate::MAX);
    let midnight = day.and_time(NaiveTime::MIN);
    // `None` would mean that the clocks skip midnight on that day. Copenhagen changes its clocks at 2 and 3 o'clock; if that
    // changes one day, UTC is near enough.
    midnight.and_local_timezone(Copenhagen).earliest().map_or(midnight.and_utc(), |midnight| midnight.to_utc())
}

/// `time + span`, or the latest time that can be represented. For times from other systems, where an overflow must not panic.
#[must_use]
pub fn add_saturating(time: DateTime<Utc>, span: Duration) -> DateTime<Utc> {
    TimeDelta::from_std(span).ok().and_then(|span| time.checked_add_signed(span)).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::super::fixture::{at, day};
    use super::*;

    #[rstest]
    #[case::day_before_the_birthday("2013-11-24", "2026-11-23", 12)]
    #[case::on_the_birthday("2013-11-23", "2026-11-23", 13)]
    #[case::leap_day_is_not_28_february("2012-02-29", "2025-02-28", 12)]
    #[case::leap_day_is_1_march("2012-02-29", "2025-03-01", 13)]
    #[case::leap_day_in_leap_year("2012-02-29", "2028-02-29", 16)]
    #[case::not_born_yet("2026-11-24", "2026-11-23", 0)]
    fn r11_age_in_whole_years_on_the_day(#[case] birth_date: &str, #[case] today: &str, #[case] age: u32) {
        assert_eq!(age_on(day(birth_date), day(today)), age);
    }

    #[rstest]
    #[case::winter("2026-01-31T22:59:59Z", "2026-01-31")]
    #[case::winter_midnight("2026-01-31T23:00:00Z", "2026-02-01")]
    #[case::summer("2026-07-31T21:59:59Z", "2026-07-31")]
    #[case::summer_midnight("2026-07-31T22:00:00Z", "2026-08-01")]
    fn r11_the_date_is_the_one_in_copenhagen(#[case] now: &str, #[case] date: &str) {
        assert_eq!(date_in_copenhagen(at(now)), day(date));
    }

    #[rstest]
    #[case::winter("2013-11-23", "2026-11-22T23:00:00Z")]
    #[case::summer("2013-07-01", "2026-06-30T22:00:00Z")]
    #[case::leap_day("2012-02-29", "2025-02-28T23:00:00Z")]
    fn r11_a_birthday_starts_at_midnight_in_copenhagen(#[case] birth_date: &str, #[case] time: &str) {
        assert_eq!(start_of_birthday(day(birth_date), 13), at(time));
    }

    #[test]
    fn sums_beyond_the_latest_time_do_not_panic() {
        assert_eq!(add_saturating(DateTime::<Utc>::MAX_UTC, Duration::from_secs(1)), DateTime::<Utc>::MAX_UTC);
        assert_eq!(add_saturating(at("2026-01-01T00:00:00Z"), Duration::MAX), DateTime::<Utc>::MAX_UTC);
        assert!(start_of_birthday(NaiveDate::MAX, u32::MAX) > at("9999-12-31T00:00:00Z"));
    }
}

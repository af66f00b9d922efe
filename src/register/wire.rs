//! Strict conversion of single values in responses of the register.

use std::ops::RangeInclusive;

use chrono::{DateTime, Datelike as _, NaiveDate, Utc};
use uuid::Uuid;

use crate::domain::birth_date::BirthDate;
use crate::domain::calendar::parse_date;
use crate::domain::cpr::CprNumber;
use crate::domain::person::MitidUuid;

/// Years of the times that the register may name. A Timestamp ends with the year 9999.
const TIME_YEARS: RangeInclusive<i32> = 1800..=2999;

/// A response that cannot be relied on, by the name of the field. The value is not repeated, so that the log stays free of
/// personal data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Malformed(pub(super) &'static str);

/// A CPR number; `None` if the text is empty.
pub(super) fn cpr_number(text: &str, field: &'static str) -> Result<Option<CprNumber>, Malformed> {
    if text.is_empty() { Ok(None) } else { CprNumber::parse(text).map(Some).map_err(|_| Malformed(field)) }
}

/// A MitID UUID.
pub(super) fn mitid_uuid(text: &str, field: &'static str) -> Result<MitidUuid, Malformed> {
    Uuid::try_parse(text).map(MitidUuid).map_err(|_| Malformed(field))
}

/// A date of the form YYYY-MM-DD. Other forms are refused.
pub(super) fn date(text: &str, field: &'static str) -> Result<NaiveDate, Malformed> {
    parse_date(text).ok_or(Malformed(field))
}

/// A birth date.
pub(super) fn birth_date(text: &str, is_marked_certain: bool) -> Result<BirthDate, Malformed> {
    BirthDate::parse(text, is_marked_certain).ok_or(Malformed("birth_date"))
}

/// A time; `None` if it is not set. A time that clients could not read, once a rule has added its own span, is refused.
pub(super) fn timestamp(
    timestamp: Option<prost_types::Timestamp>,
    field: &'static str,
) -> Result<Option<DateTime<Utc>>, Malformed> {
    let Some(timestamp) = timestamp else { return Ok(None) };
    u32::try_from(timestamp.nanos)
        .ok()
        .and_then(|nanos| DateTime::from_timestamp(timestamp.seconds, nanos))
        .filter(|time| TIME_YEARS.contains(&time.year()))
        .map(Some)
        .ok_or(Malformed(field))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("1958-06-30", NaiveDate::from_ymd_opt(1958, 6, 30))]
    #[case("2024-02-29", NaiveDate::from_ymd_opt(2024, 2, 29))]
    #[case("0001-01-01", NaiveDate::from_ymd_opt(1, 1, 1))]
    #[case::no_such_day("2023-02-29", None)]
    #[case::no_such_month("2023-13-01", None)]
    #[case::short("2023-1-01", None)]
    #[case::signed("+958-06-30", None)]
    #[case::spaced("1958-06- 3", None)]
    #[case::other_hyphens("1958/06/30", None)]
    #[case::a_time("1958-06-30T", None)]
    #[case::a_character_of_two_bytes("1958-06-3é", None)]
    #[case::ten_bytes_with_such_a_character("195é-06-30", None)]
    #[case::empty("", None)]
    fn a_date_has_one_form_only(#[case] text: &str, #[case] expected: Option<NaiveDate>) {
        assert_eq!(date(text, "birth_date"), expected.ok_or(Malformed("birth_date")));
    }
}

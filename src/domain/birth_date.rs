//! Birth dates, which CPR knows with more or less certainty (R11, R12).

use std::fmt;

use chrono::{Datelike as _, NaiveDate};

use super::calendar::has_date_form;

/// Years of birth that the register may name. An age that follows from any later year would end at a time that clients cannot
/// read: a Timestamp ends with the year 9999.
const YEARS: std::ops::RangeInclusive<i32> = 1800..=2999;

/// A birth date, of which the day and the month may be unknown. Masked in `Debug`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct BirthDate {
    year: i32,
    month: Option<u32>,
    day: Option<u32>,
    /// Whether the register is certain of the known parts.
    is_marked_certain: bool,
}

impl BirthDate {
    /// Parses YYYY-MM-DD, in which an unknown month or day is 00. `None` for any other text, and for a date that does not exist.
    #[must_use]
    pub fn parse(text: &str, is_marked_certain: bool) -> Option<Self> {
        if !has_date_form(text) {
            return None;
        }
        let known = |part: &str| Some(part.parse::<u32>().ok()?).filter(|number| *number > 0);
        let date = Self {
            year: text[..4].parse().ok().filter(|year| YEARS.contains(year))?,
            month: known(&text[5..7]),
            day: known(&text[8..]),
            is_marked_certain,
        };
        date.find_latest().map(|_| date)
    }

    /// Whether the register is certain of the whole date.
    #[must_use]
    pub const fn is_certain(self) -> bool {
        self.is_marked_certain && self.month.is_some() && self.day.is_some()
    }

    /// The latest day that the date can mean. It makes the person as young as possible (R11).
    #[must_use]
    pub fn latest(self) -> NaiveDate {
        self.find_latest().unwrap_or(NaiveDate::MAX)
    }

    /// The date as machine-readable zones have it: YYMMDD, an unknown part as `<<` (ICAO Doc 9303 part 3, 4.8).
    #[must_use]
    pub fn in_mrz_form(self) -> String {
        let part = |part: Option<u32>| part.map_or_else(|| "<<".to_owned(), |part| format!("{part:02}"));
        format!("{:02}{}{}", self.year.rem_euclid(100), part(self.month), part(self.day))
    }

    fn find_latest(self) -> Option<NaiveDate> {
        let month = self.month.unwrap_or(12);
        match self.day {
            Some(day) => NaiveDate::from_ymd_opt(self.year, month, day),
            None => (28..=31).rev().find_map(|day| NaiveDate::from_ymd_opt(self.year, month, day)),
        }
    }
}

/// A date of which every part is known and certain.
impl From<NaiveDate> for BirthDate {
    fn from(date: NaiveDate) -> Self {
        Self { year: date.year(), month: Some(date.month()), day: Some(date.day()), is_marked_certain: true }
    }
}

impl fmt::Debug for BirthDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BirthDate(****-**-**)")
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::super::fixture::day;
    use super::*;

    #[rstest]
    #[case::whole("1958-06-30", Some("1958-06-30"))]
    #[case::leap_day("2024-02-29", Some("2024-02-29"))]
    #[case::day_unknown("1950-06-00", Some("1950-06-30"))]
    #[case::day_unknown_in_a_leap_year("1952-02-00", Some("1952-02-29"))]
    #[case::day_and_month_unknown("1950-00-00", Some("1950-12-31"))]
    #[case::month_unknown("1950-00-12", Some("1950-12-12"))]
    #[case::first_year("1800-01-01", Some("1800-01-01"))]
    #[case::last_year("2999-12-31", Some("2999-12-31"))]
    #[case::year_unknown("0000-00-00", None)]
    #[case::too_early("1799-12-31", None)]
    #[case::beyond_what_clients_can_read("9999-12-31", None)]
    #[case::no_such_day("2023-02-29", None)]
    #[case::no_such_month("2023-13-00", None)]
    #[case::short("2023-1-01", None)]
    #[case::signed("+958-06-30", None)]
    #[case::spaced("1958-06- 3", None)]
    #[case::other_hyphens("1958/06/30", None)]
    #[case::a_time("1958-06-30T", None)]
    #[case::a_character_of_two_bytes("1958-06-3é", None)]
    #[case::ten_bytes_with_such_a_character("195é-06-30", None)]
    #[case::empty("", None)]
    fn r11_unknown_parts_make_the_person_as_young_as_possible(#[case] text: &str, #[case] latest: Option<&str>) {
        assert_eq!(BirthDate::parse(text, true).map(BirthDate::latest), latest.map(day));
    }

    #[rstest]
    #[case("1958-06-30", true, true)]
    #[case("1958-06-30", false, false)]
    #[case("1958-06-00", true, false)]
    #[case("1958-00-00", true, false)]
    fn r12_a_date_is_certain_if_it_is_whole_and_not_marked(
        #[case] text: &str,
        #[case] is_marked_certain: bool,
        #[case] is_certain: bool,
    ) {
        assert_eq!(BirthDate::parse(text, is_marked_certain).unwrap().is_certain(), is_certain);
    }

    #[rstest]
    #[case("1958-06-30", "580630")]
    #[case("2007-06-00", "0706<<")]
    #[case("1950-00-00", "50<<<<")]
    fn r19_a_zone_leaves_unknown_parts_open(#[case] text: &str, #[case] in_zone: &str) {
        let date = BirthDate::parse(text, true).unwrap();
        assert_eq!(date.in_mrz_form(), in_zone);
        assert_eq!(format!("{date:?}"), "BirthDate(****-**-**)");
    }
}

use proptest::prelude::*;
use temporary_pin::domain::cpr::{CprNumber, CprNumberError};

/// The table of CPR ("Personnummeret i CPR"): values of the seventh digit, years of two digits, century.
const CENTURIES: [(&str, std::ops::RangeInclusive<u32>, u32); 5] = [
    ("0123", 0..=99, 1900),
    ("49", 0..=36, 2000),
    ("49", 37..=99, 1900),
    ("5678", 0..=57, 2000),
    ("5678", 58..=99, 1800),
];

fn is_date(day: u32, month: u32, year: u32) -> bool {
    let is_leap_year = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        2 if is_leap_year => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    };
    (1..=days).contains(&day)
}

prop_compose! {
    /// Day, month, year, and the last four digits. Many dates are at the end of February, where the century decides.
    fn parts()(
        (day, month) in prop_oneof![(0..=99_u32, 0..=13_u32), (28..=30_u32, Just(2_u32)), (88..=90_u32, Just(2_u32))],
        year in prop_oneof![0..=99_u32, Just(0_u32)],
        rest in 0..=9999_u32,
    ) -> (u32, u32, u32, u32) {
        (day, month, year, rest)
    }
}

proptest! {
    #[test]
    fn ten_digits_are_a_number_if_they_start_with_a_date((day, month, year, rest) in parts()) {
        let digits = format!("{day:02}{month:02}{year:02}{rest:04}");
        let seventh = char::from_digit(rest / 1000, 10).expect("one digit");
        let (.., century) = CENTURIES
            .into_iter()
            .find(|(digits, years, _)| digits.contains(seventh) && years.contains(&year))
            .expect("the table covers every combination");
        let is_replacement = day > 60;
        let is_valid = is_date(if is_replacement { day - 60 } else { day }, month, century + year);
        match CprNumber::parse(&digits) {
            Ok(number) => {
                prop_assert!(is_valid);
                prop_assert_eq!(number.digits(), digits.as_str());
                prop_assert_eq!(number.is_replacement(), is_replacement);
                prop_assert_eq!(CprNumber::parse(&format!("{}-{}", &digits[..6], &digits[6..])), Ok(number.clone()));
                let shown = format!("{number:?}");
                prop_assert!(!shown.contains(|character: char| character.is_ascii_digit()));
            }
            Err(error) => {
                prop_assert!(!is_valid);
                prop_assert_eq!(error, CprNumberError::NotADate);
            }
        }
    }

    #[test]
    fn any_text_is_parsed_or_refused(text in prop_oneof![any::<String>(), "[0-9 -]{9,13}"]) {
        if let Ok(number) = CprNumber::parse(&text) {
            let digits: String = text.chars().filter(char::is_ascii_digit).collect();
            prop_assert_eq!(number.digits(), digits);
        }
    }
}

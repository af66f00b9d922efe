use chrono::{NaiveDate, TimeDelta};
use proptest::prelude::*;
use proptest::sample::Index;
use temporary_pin::domain::document::{CprNumberShown, Document, DocumentKind};
use temporary_pin::domain::mrz::Mrz;

const ALPHABET: &[u8; 37] = b"<0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";

/// The value of a character in a check digit: its position in the alphabet. `<` and 0 both count 0.
fn value_of(character: u8) -> usize {
    ALPHABET.iter().position(|letter| *letter == character).expect("a character of the alphabet").saturating_sub(1)
}

/// The text followed by its check digit.
fn with_check_digit(text: &str) -> String {
    let sum: usize = text.bytes().enumerate().map(|(place, byte)| value_of(byte) * [7, 3, 1][place % 3]).sum();
    format!("{text}{}", sum % 10)
}

fn last_character(text: &str) -> &str {
    &text[text.len() - 1..]
}

#[derive(Clone, Copy, Debug)]
enum Size {
    Td1,
    Td2,
    Td3,
}

/// A zone, its contents, and the positions (line, column) that check digits cover.
#[derive(Clone, Debug)]
struct Zone {
    lines: Vec<String>,
    number: String,
    birth_date: NaiveDate,
    expiry_date: NaiveDate,
    covered: Vec<(usize, usize)>,
}

impl Zone {
    /// Writes a zone of that size.
    fn write(size: Size, number: String, birth_date: NaiveDate, expiry_date: NaiveDate, optional: &str) -> Self {
        let (first, rest) = number.split_at(number.len().min(9));
        // A number that is too long continues in the optional data; `<` takes the place of its check digit.
        let (number_field, optional) = if rest.is_empty() {
            (with_check_digit(&format!("{first:<<9}")), optional.to_owned())
        } else {
            (format!("{first}<"), format!("{rest}{}<{optional}", last_character(&with_check_digit(&number))))
        };
        let birth = with_check_digit(&birth_date.format("%y%m%d").to_string());
        let expiry = with_check_digit(&expiry_date.format("%y%m%d").to_string());
        let places = |line, columns: &[std::ops::Range<usize>]| {
            columns.iter().cloned().flatten().map(|column| (line, column)).collect::<Vec<_>>()
        };
        let (lines, covered) = match size {
            Size::Td1 => {
                let optional = format!("{optional:<<15.15}");
                let second = format!("{:<<11}", "");
                let digit = with_check_digit(&format!("{number_field}{optional}{birth}{expiry}{second}"));
                let lines = vec![
                    format!("I<DNK{number_field}{optional}"),
                    format!("{birth}F{expiry}DNK{second}{}", last_character(&digit)),
                    format!("{:<<30}", "HOLM<<EVA"),
                ];
                (lines, [places(0, std::slice::from_ref(&(5..30))), places(1, &[0..7, 8..15, 18..30])].concat())
            }
            Size::Td2 => {
                let optional = format!("{optional:<<7.7}");
                let digit = with_check_digit(&format!("{number_field}{birth}{expiry}{optional}"));
                let lines = vec![
                    format!("{:<<36}", "I<DNKHOLM<<EVA"),
                    format!("{number_field}DNK{birth}F{expiry}{optional}{}", last_character(&digit)),
                ];
                (lines, places(1, &[0..10, 13..20, 21..36]))
            }
            Size::Td3 => {
                let optional = with_check_digit(&format!("{optional:<<14.14}"));
                let digit = with_check_digit(&format!("{number_field}{birth}{expiry}{optional}"));
                let lines = vec![
                    format!("{:<<44}", "P<DNKHOLM<<EVA"),
                    format!("{number_field}DNK{birth}F{expiry}{optional}{}", last_character(&digit)),
                ];
                (lines, places(1, &[0..10, 13..20, 21..44]))
            }
        };
        Self { lines, number, birth_date, expiry_date, covered }
    }
}

fn day(from: i32) -> impl Strategy<Value = NaiveDate> {
    (0..15_000_i64).prop_map(move |days| NaiveDate::from_ymd_opt(from, 1, 1).expect("a date") + TimeDelta::days(days))
}

fn zone() -> impl Strategy<Value = Zone> {
    let size_and_number = prop_oneof![
        (Just(Size::Td1), "[A-Z0-9]{5,20}"),
        (Just(Size::Td2), "[A-Z0-9]{5,14}"),
        (Just(Size::Td3), "[A-Z0-9]{5,9}"),
    ];
    (size_and_number, day(1960), day(2010), "[A-Z0-9<]{0,8}")
        .prop_map(|((size, number), birth, expiry, optional)| Zone::write(size, number, birth, expiry, &optional))
}

proptest! {
    #[test]
    fn r19_a_zone_agrees_with_what_was_written_only(zone in zone(), shift in 1..10_000_i64) {
        let mrz = Mrz::parse(&zone.lines);
        prop_assert!(mrz.is_ok(), "{:?}", zone);
        let mrz = mrz.expect("checked above");
        let kind = if zone.lines[0].starts_with('P') { DocumentKind::Passport } else { DocumentKind::IdentityCard };
        let document = Document {
            kind,
            issuer: "DNK".into(),
            number: zone.number.clone(),
            expiry_date: None,
            cpr_number_shown: CprNumberShown::Unstated,
        };
        let other_day = TimeDelta::days(shift);
        prop_assert!(mrz.agrees_with(&document, zone.birth_date));
        prop_assert!(!mrz.agrees_with(&document, zone.birth_date + other_day));
        prop_assert_eq!(mrz.expiry_date(zone.expiry_date), Some(zone.expiry_date));
        let other = Document { number: format!("{}X", zone.number), ..document };
        prop_assert!(!mrz.agrees_with(&other, zone.birth_date));
    }

    #[test]
    fn r19_one_changed_character_is_found(zone in zone(), place: Index, letter: Index) {
        let (line, column) = zone.covered[place.index(zone.covered.len())];
        let before = zone.lines[line].as_bytes()[column];
        let after = ALPHABET[letter.index(ALPHABET.len())];
        // Check digits do not detect characters whose values have the same last digit.
        prop_assume!(value_of(before) % 10 != value_of(after) % 10);
        let mut lines = zone.lines.clone();
        lines[line].replace_range(column..=column, &char::from(after).to_string());
        prop_assert!(Mrz::parse(&lines).is_err(), "{:?}", lines);
    }

    #[test]
    fn r19_no_text_panics(
        lines in prop_oneof![
            prop::collection::vec(any::<String>(), 0..4),
            prop::collection::vec("[A-Z0-9<]{30}", 3),
            prop::collection::vec("[PIAC<0-9]{36}", 2),
            prop::collection::vec("[A-Z0-9<]{44}|\\PC{20,44}", 2),
        ],
    ) {
        let _ = Mrz::parse(&lines);
    }
}

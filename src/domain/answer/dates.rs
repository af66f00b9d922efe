//! Years and dates in answers.

use chrono::NaiveDate;

use super::words::{is_all_digits, split_words};

/// Names of the months in Danish, English and Greenlandic, January first.
const MONTH_NAMES: [[&str; 3]; 12] = [
    ["januar", "january", "januaari"],
    ["februar", "february", "februaari"],
    ["marts", "march", "marsi"],
    ["april", "april", "apriili"],
    ["maj", "may", "maaji"],
    ["juni", "june", "juuni"],
    ["juli", "july", "juuli"],
    ["august", "august", "aggusti"],
    ["september", "september", "septemberi"],
    ["oktober", "october", "oktoberi"],
    ["november", "november", "novemberi"],
    ["december", "december", "decemberi"],
];

/// Fewest letters that name a month: two could be the start of several ("ma": marts, maj).
const SHORTEST_MONTH_NAME: usize = 3;

/// Most letters of a Greenlandic ending: februaarip, februaarimi.
const LONGEST_ENDING: usize = 2;

/// Words around a year that do not change it: "i 2010", "since the year 2010", "2010-mi".
const WORDS_AROUND_A_YEAR: [&str; 13] =
    ["i", "in", "aar", "aaret", "year", "the", "siden", "since", "det", "var", "it", "was", "mi"];

/// A year of four digits. Two digits are not accepted, because they leave the century open. The name of a month may stand before
/// it, but no day.
pub(super) fn normalize_year(text: &str) -> Option<String> {
    let parts = split_parts(text);
    let (years, others): (Vec<&String>, Vec<&String>) =
        parts.iter().partition(|part| part.bytes().any(|byte| byte.is_ascii_digit()));
    let [year] = years[..] else { return None };
    let are_around =
        others.iter().all(|word| WORDS_AROUND_A_YEAR.contains(&word.as_str()) || find_month(word).is_some());
    Some(year.clone()).filter(|year| are_around && year.len() == 4 && is_all_digits(year))
}

/// The dates that a text can mean. A year of two digits gives two dates, one in each century; eight digits are read both as
/// DDMMYYYY and as YYYYMMDD.
///
/// Accepted are Danish and ISO forms (1.2.1980, 01-02-80, 1/2 1980, 1. februar 1980, 010280, 01021980, 1980-02-01,
/// 19800201), and English and Greenlandic forms that name the month.
pub(super) fn parse_dates(text: &str) -> Vec<NaiveDate> {
    // Other words ("den", "of", "st") do not matter to a date.
    let is_of_a_date = |part: &String| is_all_digits(part) || find_month(part).is_some();
    let parts: Vec<String> = split_parts(text).into_iter().filter(is_of_a_date).collect();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    match parts[..] {
        [digits] if digits.len() == 6 => make_dates(&digits[..2], &digits[2..4], &digits[4..]),
        [digits] if digits.len() == 8 => [
            make_dates(&digits[..2], &digits[2..4], &digits[4..]),
            make_dates(&digits[6..], &digits[4..6], &digits[..4]),
        ]
        .concat(),
        [year, month, day] if year.len() == 4 => make_dates(day, month, year),
        [month, day, year] if !is_all_digits(month) => make_dates(day, month, year),
        [day, month, year] => make_dates(day, month, year),
        _ => Vec::new(),
    }
}

/// The words of a text, with digits and letters apart: "1st" is "1" and "st".
fn split_parts(text: &str) -> Vec<String> {
    split_words(text)
        .iter()
        .flat_map(|word| {
            let characters: Vec<char> = word.chars().collect();
            let runs = characters.chunk_by(|a, b| a.is_ascii_digit() == b.is_ascii_digit());
            runs.map(String::from_iter).collect::<Vec<String>>()
        })
        .collect()
}

/// The calendar dates with that day, month (number or name) and year (two or four digits).
fn make_dates(day: &str, month: &str, year: &str) -> Vec<NaiveDate> {
    let centuries: &[i32] = match year.len() {
        2 => &[1900, 2000],
        4 => &[0],
        _ => &[],
    };
    let (Ok(day), Ok(year)) = (day.parse(), year.parse::<i32>()) else { return Vec::new() };
    let Some(month) = find_month(month).or_else(|| month.parse().ok()) else { return Vec::new() };
    centuries.iter().filter_map(|century| NaiveDate::from_ymd_opt(century + year, month, day)).collect()
}

/// The number of the month, from 1, that the word names: in full, by its first letters, or with a Greenlandic ending. A word that
/// could name two months names none.
fn find_month(word: &str) -> Option<u32> {
    let is_named = |names: &[&str; 3]| {
        let is_short_form = word.len() >= SHORTEST_MONTH_NAME && names.iter().any(|name| name.starts_with(word));
        let ending = word.strip_prefix(names[2]);
        is_short_form || ending.is_some_and(|ending| ending.len() <= LONGEST_ENDING)
    };
    let mut months = (1..).zip(&MONTH_NAMES).filter(|(_, names)| is_named(names)).map(|(number, _)| number);
    months.next().filter(|_| months.next().is_none())
}

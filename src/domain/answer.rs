//! Answers to questions: what counts as the same, compared in constant time (R17).

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use chrono::NaiveDate;
use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

use super::fact::{Fact, FactKind};

/// Words for "municipality" in Danish, English and Greenlandic names.
const MUNICIPALITY: [&str; 4] = ["kommune", "municipality", "kommuneqarfik", "kommunia"];

/// Names of the months in Danish and English.
const MONTHS: [[&str; 2]; 12] = [
    ["januar", "january"],
    ["februar", "february"],
    ["marts", "march"],
    ["april", "april"],
    ["maj", "may"],
    ["juni", "june"],
    ["juli", "july"],
    ["august", "august"],
    ["september", "september"],
    ["oktober", "october"],
    ["november", "november"],
    ["december", "december"],
];

/// Whether the answer is right: it says the same as one of the certain facts of that kind.
///
/// Every fact is looked at and every comparison takes the same time, so that the time taken tells nothing of the facts.
#[must_use]
pub fn is_right(kind: FactKind, answer: &str, facts: &[Fact]) -> bool {
    let answers: Vec<_> = readings(kind, answer).iter().map(|reading| digest(&SHA256, reading.as_bytes())).collect();
    let mut right = false;
    for fact in facts {
        for reading in readings(fact.kind, &fact.value) {
            let truth = digest(&SHA256, reading.as_bytes());
            for answer in &answers {
                let same = verify_slices_are_equal(truth.as_ref(), answer.as_ref()).is_ok();
                right |= same & (fact.kind == kind) & fact.certain;
            }
        }
    }
    right
}

/// Whether a question can be asked about the fact: it is certain, and there is a way to answer it.
pub(super) fn can_be_asked(fact: &Fact) -> bool {
    fact.certain && !readings(fact.kind, &fact.value).is_empty()
}

/// What a text can mean as a fact of that kind, each in one normal form. None: it means nothing.
fn readings(kind: FactKind, text: &str) -> Vec<String> {
    match kind {
        FactKind::SpouseBirthDate
        | FactKind::ChildBirthDate
        | FactKind::MotherBirthDate
        | FactKind::FatherBirthDate => dates(text).iter().map(NaiveDate::to_string).collect(),
        FactKind::WeddingYear | FactKind::MovedInYear => year(text).into_iter().collect(),
        FactKind::PreviousMunicipality => name(municipality_words(text)).into_iter().collect(),
        FactKind::PreviousRoad | FactKind::Birthplace | FactKind::PreviousSurname => {
            name(words(text)).into_iter().collect()
        }
    }
}

/// A name: its letters and digits, run together.
fn name(words: Vec<String>) -> Option<String> {
    Some(words.concat()).filter(|name| !name.is_empty())
}

/// "Københavns Kommune" is the municipality that CPR calls "København".
fn municipality_words(text: &str) -> Vec<String> {
    let mut words = words(text);
    words.retain(|word| !MUNICIPALITY.contains(&word.as_str()));
    if let Some(last) = words.last_mut() {
        *last = last.trim_end_matches('s').to_owned();
    }
    words
}

/// Four digits: two would leave the century open.
fn year(text: &str) -> Option<String> {
    let [year] = <[String; 1]>::try_from(words(text)).ok()?;
    Some(year).filter(|year| year.len() == 4 && is_number(year))
}

/// The dates that a text can mean; with a year of two digits there are two.
///
/// Danish and ISO forms: 1.2.1980, 01-02-80, 1/2 1980, 1. februar 1980, 010280, 01021980, 1980-02-01, 19800201; and
/// English ones with the month's name.
fn dates(text: &str) -> Vec<NaiveDate> {
    let parts = date_parts(text);
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    match parts[..] {
        [digits] if digits.len() == 6 => date(&digits[..2], &digits[2..4], &digits[4..]),
        [digits] if digits.len() == 8 => {
            [date(&digits[..2], &digits[2..4], &digits[4..]), date(&digits[6..], &digits[4..6], &digits[..4])].concat()
        }
        [year, month, day] if year.len() == 4 => date(day, month, year),
        [month, day, year] if !is_number(month) => date(day, month, year),
        [day, month, year] => date(day, month, year),
        _ => Vec::new(),
    }
}

/// The numbers and months' names in a text; all else ("den", "of", "st") says nothing.
fn date_parts(text: &str) -> Vec<String> {
    words(text)
        .iter()
        .flat_map(|word| {
            let characters: Vec<char> = word.chars().collect();
            let runs = characters.chunk_by(|a, b| a.is_ascii_digit() == b.is_ascii_digit());
            runs.map(String::from_iter).collect::<Vec<String>>()
        })
        .filter(|part| is_number(part) || month_by_name(part).is_some())
        .collect()
}

fn date(day: &str, month: &str, year: &str) -> Vec<NaiveDate> {
    let centuries: &[i32] = match year.len() {
        2 => &[1900, 2000],
        4 => &[0],
        _ => &[],
    };
    let (Ok(day), Ok(year)) = (day.parse(), year.parse::<i32>()) else { return Vec::new() };
    let Some(month) = month_by_name(month).or_else(|| month.parse().ok()) else { return Vec::new() };
    centuries.iter().filter_map(|century| NaiveDate::from_ymd_opt(century + year, month, day)).collect()
}

/// The number of a month by its name or the beginning of it, of three letters or more.
fn month_by_name(word: &str) -> Option<u32> {
    let is_named = |names: &[&str; 2]| word.len() >= 3 && names.iter().any(|name| name.starts_with(word));
    (1..).zip(&MONTHS).find_map(|(number, names)| is_named(names).then_some(number))
}

fn is_number(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The words of a text in one spelling: lower case, no accents, æ as ae, ø and ö as oe, å as aa, no punctuation.
fn words(text: &str) -> Vec<String> {
    let mut folded = String::with_capacity(text.len());
    for character in text.nfkd().flat_map(char::to_lowercase) {
        match character {
            'æ' => folded.push_str("ae"),
            'ø' => folded.push_str("oe"),
            // Decomposed: å is a and a ring, ä and ö (Swedish, German) are a and o with two dots.
            '\u{30a}' if folded.ends_with('a') => folded.push('a'),
            '\u{308}' if folded.ends_with(['a', 'o']) => folded.push('e'),
            'ß' => folded.push_str("ss"),
            'ð' => folded.push('d'),
            'þ' => folded.push_str("th"),
            'ĸ' => folded.push('q'),
            // An apostrophe joins: D'Angelo.
            '\'' | '’' | '´' | '`' => {}
            _ if is_combining_mark(character) => {}
            _ if character.is_alphanumeric() => folded.push(character),
            _ => folded.push(' '),
        }
    }
    folded.split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests;

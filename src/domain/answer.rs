//! Compares a person's answer with the facts in the register (R17).
//!
//! Both texts are brought into a normal form, so that case, accents, spelling variants and date formats do not matter. The
//! normal forms are compared in constant time.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use chrono::NaiveDate;
use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

use super::fact::{Fact, FactKind};

/// Words for "municipality" in Danish, English and Greenlandic names, as [`split_words`] spells them.
const MUNICIPALITY_WORDS: [&str; 4] = ["kommune", "municipality", "kommuneqarfik", "kommunia"];

/// Names of the months in Danish and English, January first.
const MONTH_NAMES: [[&str; 2]; 12] = [
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

/// Fewest letters that name a month: two could be the start of several ("ma": marts, maj).
const SHORTEST_MONTH_NAME: usize = 3;

/// Whether the answer is right: it has the same meaning as one of the certain facts of that kind.
///
/// The function compares with every fact, and each comparison takes constant time. So the time taken does not reveal which
/// fact matched, or how much of it.
#[must_use]
pub fn is_right(kind: FactKind, answer: &str, facts: &[Fact]) -> bool {
    // Digests have one length, so that the comparison does not depend on the length of the texts.
    let answer_digests: Vec<_> =
        normal_forms(kind, answer).iter().map(|form| digest(&SHA256, form.as_bytes())).collect();
    let mut is_right = false;
    for fact in facts {
        for form in fact.values.iter().flat_map(|value| normal_forms(fact.kind, value)) {
            let fact_digest = digest(&SHA256, form.as_bytes());
            for answer_digest in &answer_digests {
                let is_equal = verify_slices_are_equal(fact_digest.as_ref(), answer_digest.as_ref()).is_ok();
                // `&` and not `&&`, which would skip work.
                is_right |= is_equal & (fact.kind == kind) & fact.certain;
            }
        }
    }
    is_right
}

/// Whether a question can be asked about the fact: it is certain, and some answer to it can be right.
pub(super) fn can_be_asked(fact: &Fact) -> bool {
    fact.certain && fact.values.iter().any(|value| !normal_forms(fact.kind, value).is_empty())
}

/// The possible meanings of a text as a fact of that kind, each in its normal form. Empty if the text has no meaning.
fn normal_forms(kind: FactKind, text: &str) -> Vec<String> {
    match kind {
        FactKind::SpouseBirthDate
        | FactKind::ChildBirthDate
        | FactKind::MotherBirthDate
        | FactKind::FatherBirthDate => parse_dates(text).iter().map(NaiveDate::to_string).collect(),
        FactKind::WeddingYear | FactKind::MovedInYear => normalize_year(text).into_iter().collect(),
        FactKind::PreviousMunicipality => join_name(&split_municipality(text)).into_iter().collect(),
        FactKind::PreviousRoad | FactKind::Birthplace | FactKind::PreviousSurname => {
            join_name(&split_words(text)).into_iter().collect()
        }
    }
}

/// The normal form of a name: its letters and digits without spaces. `None` if there are none.
fn join_name(words: &[String]) -> Option<String> {
    Some(words.concat()).filter(|name| !name.is_empty())
}

/// The words of a municipality's name, without the word "municipality" and the genitive s before it: people say
/// "Københavns Kommune" where CPR says "København".
fn split_municipality(text: &str) -> Vec<String> {
    let mut words = split_words(text);
    words.retain(|word| !MUNICIPALITY_WORDS.contains(&word.as_str()));
    if let Some(last) = words.last_mut() {
        *last = last.trim_end_matches('s').to_owned();
    }
    words
}

/// A year of four digits. Two digits are not accepted, because they leave the century open.
fn normalize_year(text: &str) -> Option<String> {
    let [year] = <[String; 1]>::try_from(split_words(text)).ok()?;
    Some(year).filter(|year| year.len() == 4 && is_all_digits(year))
}

/// The dates that a text can mean. A year of two digits gives two dates, one in each century; eight digits are read both as
/// DDMMYYYY and as YYYYMMDD.
///
/// Accepted are Danish and ISO forms (1.2.1980, 01-02-80, 1/2 1980, 1. februar 1980, 010280, 01021980, 1980-02-01,
/// 19800201) and English forms that name the month.
fn parse_dates(text: &str) -> Vec<NaiveDate> {
    let parts = split_date_parts(text);
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

/// The numbers and the names of months in a text. Other words ("den", "of", "st") do not matter to a date.
fn split_date_parts(text: &str) -> Vec<String> {
    split_words(text)
        .iter()
        .flat_map(|word| {
            let characters: Vec<char> = word.chars().collect();
            let runs = characters.chunk_by(|a, b| a.is_ascii_digit() == b.is_ascii_digit());
            runs.map(String::from_iter).collect::<Vec<String>>()
        })
        .filter(|part| is_all_digits(part) || find_month(part).is_some())
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

/// The number of the month, from 1, whose name starts with `word`. Fewer than three letters match nothing.
fn find_month(word: &str) -> Option<u32> {
    let is_named =
        |names: &[&str; 2]| word.len() >= SHORTEST_MONTH_NAME && names.iter().any(|name| name.starts_with(word));
    (1..).zip(&MONTH_NAMES).find_map(|(number, names)| is_named(names).then_some(number))
}

fn is_all_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The words of a text in one spelling: lower case, no accents, æ as ae, ø and ö as oe, å as aa, no punctuation.
fn split_words(text: &str) -> Vec<String> {
    let mut folded = String::with_capacity(text.len());
    for character in text.nfkd().flat_map(char::to_lowercase) {
        match character {
            'æ' => folded.push_str("ae"),
            'ø' => folded.push_str("oe"),
            // NFKD has decomposed å to a and a ring; the Swedish and German ä and ö to a and o with two dots.
            '\u{30a}' if folded.ends_with('a') => folded.push('a'),
            '\u{308}' if folded.ends_with(['a', 'o']) => folded.push('e'),
            'ß' => folded.push_str("ss"),
            'ð' => folded.push('d'),
            'þ' => folded.push_str("th"),
            'ĸ' => folded.push('q'),
            // An apostrophe does not separate words: D'Angelo.
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

//! Roads in answers. People give the whole address where CPR has the road alone.

use super::words::{is_all_digits, join_name, split_into_spellings};

/// Digits of a Danish postcode.
const POSTCODE_DIGITS: usize = 4;

/// Words that stand before a house number.
const NUMBER_WORDS: [&str; 4] = ["nr", "nummer", "no", "number"];

/// Words that name floor, door or flat, behind a house number.
const FLOOR_WORDS: [&str; 26] = [
    "st",
    "stuen",
    "stue",
    "kl",
    "kld",
    "kaelder",
    "kaelderen",
    "sal",
    "etage",
    "etg",
    "floor",
    "ground",
    "basement",
    "tv",
    "th",
    "mf",
    "midt",
    "left",
    "right",
    "doer",
    "door",
    "lejl",
    "lejlighed",
    "apartment",
    "flat",
    "opgang",
];

/// The forms of a road in the register: the name as it is.
pub(super) fn fact_forms(text: &str) -> Vec<String> {
    split_into_spellings(text).iter().filter_map(|words| join_name(words)).collect()
}

/// The forms of a road in an answer: the text as it is, and without house number, floor and what follows. Only the answer is cut:
/// two roads of the register that differ by a number stay different.
pub(super) fn answer_forms(text: &str) -> Vec<String> {
    split_into_spellings(text)
        .iter()
        .flat_map(|words| {
            let cuts = (1..words.len()).filter(|start| is_house_number_and_floor(&words[*start..]));
            cuts.chain([words.len()]).filter_map(|end| join_name(&words[..end])).collect::<Vec<_>>()
        })
        .collect()
}

/// Whether the words are a house number, then perhaps floor and door, then perhaps a postcode and a town.
fn is_house_number_and_floor(words: &[String]) -> bool {
    let words = match words {
        [first, rest @ ..] if NUMBER_WORDS.contains(&first.as_str()) => rest,
        words => words,
    };
    let [number, rest @ ..] = words else { return false };
    let is_postcode = |word: &String| word.len() == POSTCODE_DIGITS && is_all_digits(word);
    let is_of_the_floor = |word: &String| {
        FLOOR_WORDS.contains(&word.as_str()) || is_number_with_letter(word) || word.chars().count() == 1
    };
    is_number_with_letter(number) && rest.iter().take_while(|word| !is_postcode(word)).all(is_of_the_floor)
}

/// A number of one to three digits, perhaps with a letter: 12, 12b.
fn is_number_with_letter(word: &str) -> bool {
    let digits = word.trim_end_matches(|character: char| character.is_ascii_lowercase());
    (1..=3).contains(&digits.len()) && is_all_digits(digits) && word.len() - digits.len() <= 1
}

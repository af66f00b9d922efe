//! Municipalities and birthplaces in answers.

use super::place_names::standard_name;
use super::words::{is_all_digits, join_name, split_into_spellings, split_words};

/// Words for "municipality" in Danish, English and Greenlandic names.
const MUNICIPALITY_WORDS: [&str; 6] =
    ["kommune", "regionskommune", "municipality", "kommuneqarfik", "kommunia", "kommunea"];

/// Words for "parish". CPR names the parish that registered a birth.
const PARISH_WORDS: [&str; 3] = ["sogn", "sogns", "parish"];

/// Words before "født" and "born": "jeg er født i", "I was born in".
const WORDS_BEFORE_BORN: [&str; 6] = ["jeg", "er", "blev", "i", "was", "am"];

/// The forms of a municipality. People say "Københavns Kommune" where CPR says "København".
pub(super) fn municipality_forms(text: &str) -> Vec<String> {
    forms(text, |words| {
        let words = remove_words(skip_preposition(words), &MUNICIPALITY_WORDS);
        [words.clone(), without_genitive(words)]
    })
}

/// The forms of a birthplace: a town, a parish, a municipality or a country.
pub(super) fn birthplace_forms(text: &str) -> Vec<String> {
    forms(text, |words| {
        let words = remove_words(skip_birth_phrase(words), &PARISH_WORDS);
        let town = remove_words(&words, &MUNICIPALITY_WORDS);
        // "Københavns Kommune" is København, but "Horsens" is not "Horsen".
        if town.len() < words.len() { [town.clone(), without_genitive(town)] } else { [town.clone(), town] }
    })
}

/// Whether a person would name the place so: not the parish or the code that CPR has.
pub(super) fn is_said_by_persons(birthplace: &str) -> bool {
    let words = split_words(birthplace);
    !words.iter().any(|word| PARISH_WORDS.contains(&word.as_str())) && !words.iter().all(|word| is_all_digits(word))
}

/// The forms of a text in each of its spellings, with the standard name for each place that has several.
fn forms(text: &str, variants: impl Fn(&[String]) -> [Vec<String>; 2]) -> Vec<String> {
    let spellings = split_into_spellings(text);
    let names = spellings.iter().flat_map(|words| variants(words)).filter_map(|words| join_name(&words));
    let mut forms: Vec<String> = names.map(|name| standard_name(&name).to_owned()).collect();
    forms.dedup();
    forms
}

/// The words without those. "of" and "the" belong to them: "the Municipality of Aarhus".
fn remove_words(words: &[String], removed: &[&str]) -> Vec<String> {
    let is_removed = |word: &String| removed.contains(&word.as_str());
    if !words.iter().any(is_removed) {
        return words.to_vec();
    }
    words.iter().filter(|word| !is_removed(word) && *word != "of" && *word != "the").cloned().collect()
}

fn without_genitive(mut words: Vec<String>) -> Vec<String> {
    if let Some(last) = words.last_mut() {
        *last = last.trim_end_matches('s').to_owned();
    }
    words
}

/// The words after "i" or "in".
fn skip_preposition(words: &[String]) -> &[String] {
    match words {
        [first, rest @ ..] if !rest.is_empty() && (first == "i" || first == "in") => rest,
        words => words,
    }
}

/// The words after "født i", "jeg er født i", "born in", or "i".
fn skip_birth_phrase(words: &[String]) -> &[String] {
    let before = words.iter().take_while(|word| WORDS_BEFORE_BORN.contains(&word.as_str())).count();
    match &words[before..] {
        [born, rest @ ..] if !rest.is_empty() && (born == "foedt" || born == "born") => skip_preposition(rest),
        _ => skip_preposition(words),
    }
}

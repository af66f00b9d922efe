//! Brings texts into one spelling.

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

/// The words of a text in every spelling that counts: ü as u, and, if there is one, ü as ue. Passports write Müller as MUELLER.
pub(super) fn split_into_spellings(text: &str) -> Vec<Vec<String>> {
    let mut spellings = vec![fold(text, "u"), fold(text, "ue")];
    spellings.dedup();
    spellings
}

/// The words of a text, with ü as u.
pub(super) fn split_words(text: &str) -> Vec<String> {
    fold(text, "u")
}

/// The name without spaces. `None` if it has no letter or digit.
pub(super) fn join_name(words: &[String]) -> Option<String> {
    Some(words.concat()).filter(|name| !name.is_empty())
}

/// Whether every character is one of 0 to 9.
pub(super) fn is_all_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The words in lower case, without accents and punctuation, æ as ae, ø and ö as oe, å as aa, and ü as `u_umlaut`. The other
/// letters of the Latin script are written as in passports (ICAO Doc 9303 part 3, section 6).
fn fold(text: &str, u_umlaut: &str) -> Vec<String> {
    let mut folded = String::with_capacity(text.len());
    let letters = text.chars().filter(|character| !is_apostrophe(*character)).nfkd().flat_map(char::to_lowercase);
    for character in letters {
        match character {
            // NFKD has decomposed å to a and a ring; ä, ö and ü to the letter and two dots.
            '\u{30a}' if folded.ends_with('a') => folded.push('a'),
            '\u{308}' if folded.ends_with(['a', 'o']) => folded.push('e'),
            '\u{308}' if folded.ends_with('u') => {
                folded.pop();
                folded.push_str(u_umlaut);
            }
            _ if is_combining_mark(character) => {}
            _ => match write_in_ascii(character) {
                Some(letters) => folded.push_str(letters),
                None if character.is_alphanumeric() => folded.push(character),
                None => folded.push(' '),
            },
        }
    }
    folded.split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// Letters of the Latin script that Unicode does not decompose.
const fn write_in_ascii(letter: char) -> Option<&'static str> {
    Some(match letter {
        'æ' => "ae",
        'ø' | 'œ' => "oe",
        'ß' => "ss",
        'þ' => "th",
        'ð' | 'đ' | 'ɖ' | 'ɗ' => "d",
        'ħ' => "h",
        'ı' | 'ɨ' => "i",
        'ĸ' => "q",
        'ł' => "l",
        'ŋ' => "n",
        'ŧ' => "t",
        'ə' | 'ǝ' | 'ɛ' => "e",
        'ɓ' | 'ƀ' => "b",
        'ƒ' => "f",
        'ǥ' | 'ɣ' => "g",
        'ƙ' => "k",
        'ɔ' => "o",
        'ʉ' => "u",
        'ƴ' => "y",
        'ƶ' => "z",
        _ => return None,
    })
}

/// An apostrophe does not separate words: D'Angelo. Keyboards and registers write many characters for it.
const fn is_apostrophe(character: char) -> bool {
    matches!(
        character,
        '\'' | '`' | '´' | '‘' | '’' | '‛' | '′' | '\u{2b9}'
            ..='\u{2bf}' | '\u{2c8}' | '\u{2ca}' | '\u{2cb}' | '\u{2ee}' | '\u{55a}' | '\u{a78b}' | '\u{a78c}' | '＇'
    )
}

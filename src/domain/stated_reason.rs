//! Why an operator looks or acts, in the operator's words.

use uuid::Uuid;

/// Most characters of a reason.
const LONGEST: usize = 200;

/// So many digits in a row may be a PIN, a phone number or a CPR number.
const DIGITS: usize = 8;

/// A reason that can be kept as it is: it holds nothing that reads as a CPR number, a PIN, a phone number or a MitID UUID.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatedReason(String);

/// Why a text is no reason. Says nothing of the text itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StatedReasonError {
    /// Nothing is said.
    #[error("is required")]
    Missing,
    /// Too long.
    #[error("must have at most {LONGEST} characters")]
    TooLong,
    /// Line breaks, other control characters, and marks that turn the text around.
    #[error("must be one line of text")]
    NotText,
    /// Something that may name a person or be a secret.
    #[error(
        "must not hold a CPR number, PIN, phone number or UUID, as it is stored as it is: no {DIGITS} digits in a row, \
         also with spaces, points or hyphens between them, and no + before a digit"
    )]
    Personal,
}

impl StatedReason {
    /// Parses one line of 1 to 200 characters; blanks around it are cut off.
    pub fn parse(text: &str) -> Result<Self, StatedReasonError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(StatedReasonError::Missing);
        }
        if text.chars().count() > LONGEST {
            return Err(StatedReasonError::TooLong);
        }
        if text.chars().any(breaks_the_line) {
            return Err(StatedReasonError::NotText);
        }
        if reads_as_number(text) || reads_as_uuid(text) {
            return Err(StatedReasonError::Personal);
        }
        Ok(Self(text.to_owned()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether a letter breaks the line, or turns the text around it so that it reads as another (Unicode's UAX #9).
fn breaks_the_line(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{2028}' | '\u{2029}' | '\u{61c}' | '\u{200e}' | '\u{200f}')
        || matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Whether there are many digits in a row, of whatever script, with nothing but punctuation or blanks between them.
fn reads_as_number(text: &str) -> bool {
    let (mut digits, mut after_plus) = (0, false);
    for letter in text.chars() {
        if letter.is_numeric() {
            digits += 1;
            if digits >= DIGITS || after_plus {
                return true;
            }
        } else if letter.is_alphabetic() {
            digits = 0;
        }
        after_plus = letter == '+' || (after_plus && letter.is_whitespace());
    }
    false
}

fn reads_as_uuid(text: &str) -> bool {
    text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '-')
        .any(|word| Uuid::try_parse(word).is_ok())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::words("Ringer fra et andet nummer; mistanke om svindel, sag CASE-2041")]
    #[case::case_number("INC0012345")]
    #[case::short("x")]
    #[case::numbers_among_words("3 forsøg den 24. november, 2 dage senere 17 opkald")]
    #[case::longest(&"å".repeat(200))]
    fn r9_reasons(#[case] text: &str) {
        assert_eq!(StatedReason::parse(text).unwrap().as_str(), text);
    }

    #[rstest]
    #[case::empty("", StatedReasonError::Missing)]
    #[case::blank("  ", StatedReasonError::Missing)]
    #[case::long(&"x".repeat(201), StatedReasonError::TooLong)]
    #[case::two_lines("a\nb", StatedReasonError::NotText)]
    #[case::two_lines_by_unicode("a\u{2028}b", StatedReasonError::NotText)]
    #[case::turned_around("sag \u{202e}14-20", StatedReasonError::NotText)]
    #[case::isolated("sag \u{2067}14-20\u{2069}", StatedReasonError::NotText)]
    #[case::cpr("for 0101801234", StatedReasonError::Personal)]
    #[case::cpr_hyphen("for 010180-1234.", StatedReasonError::Personal)]
    #[case::cpr_spaced("for 01 01 80 - 1234", StatedReasonError::Personal)]
    #[case::pin("PIN 12345678", StatedReasonError::Personal)]
    #[case::pin_in_groups("PIN 1234 5678", StatedReasonError::Personal)]
    #[case::phone("tlf. 20 12 34 56", StatedReasonError::Personal)]
    #[case::greenlandic_phone("tlf. +299 52 12 34", StatedReasonError::Personal)]
    #[case::short_with_plus("+ 45", StatedReasonError::Personal)]
    #[case::other_digits("٠١٠١٨٠١٢٣٤", StatedReasonError::Personal)]
    #[case::uuid("konto b3f6a1de-7c9b-4a52-9f0e-abcdefabcdef", StatedReasonError::Personal)]
    #[case::uuid_without_hyphens("b3f6a1de7c9b4a529f0eabcdefabcdef", StatedReasonError::Personal)]
    fn r9_no_reasons(#[case] text: &str, #[case] error: StatedReasonError) {
        assert_eq!(StatedReason::parse(text), Err(error));
        assert!(!error.to_string().contains("1234"));
    }
}

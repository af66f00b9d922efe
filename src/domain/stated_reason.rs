//! The reason that an operator gives for an action, in free text (R9). It is stored in the audit.

use uuid::Uuid;

/// Most characters of a reason.
const MAX_CHARACTERS: usize = 200;

/// From this many digits in a row, a number could be a PIN, a phone number or a CPR number.
const MIN_PERSONAL_DIGITS: usize = 8;

/// A reason that can be stored in clear: it contains nothing that could be a CPR number, a PIN, a phone number or a MitID
/// UUID.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatedReason(String);

/// Why a text is not accepted as a reason. The error does not repeat the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StatedReasonError {
    #[error("is required")]
    Missing,
    #[error("must have at most {MAX_CHARACTERS} characters")]
    TooLong,
    /// The text contains line breaks, other control characters, or marks that change the direction of the text.
    #[error("must be one line of text")]
    NotText,
    /// The text contains something that could identify a person or be a secret.
    #[error(
        "must not hold a CPR number, PIN, phone number or UUID, as it is stored as it is: no {MIN_PERSONAL_DIGITS} digits in a row, \
         also with spaces, points or hyphens between them, and no + before a digit"
    )]
    Personal,
}

impl StatedReason {
    /// Parses one line of 1 to 200 characters. Whitespace around it is removed.
    pub fn parse(text: &str) -> Result<Self, StatedReasonError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(StatedReasonError::Missing);
        }
        if text.chars().count() > MAX_CHARACTERS {
            return Err(StatedReasonError::TooLong);
        }
        if text.chars().any(is_disallowed) {
            return Err(StatedReasonError::NotText);
        }
        if may_contain_personal_number(text) || contains_uuid(text) {
            return Err(StatedReasonError::Personal);
        }
        Ok(Self(text.to_owned()))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether the character breaks the line, or is a mark of Unicode's bidirectional algorithm (UAX #9), which could make the
/// text appear as a different one.
fn is_disallowed(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{2028}' | '\u{2029}' | '\u{61c}' | '\u{200e}' | '\u{200f}')
        || matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Whether the text contains [`MIN_PERSONAL_DIGITS`] digits of any script without a letter between them, or a `+` before a
/// digit.
fn may_contain_personal_number(text: &str) -> bool {
    let (mut digits, mut is_after_plus) = (0, false);
    for character in text.chars() {
        if character.is_numeric() {
            digits += 1;
            if digits >= MIN_PERSONAL_DIGITS || is_after_plus {
                return true;
            }
        } else if character.is_alphabetic() {
            digits = 0;
        }
        is_after_plus = character == '+' || (is_after_plus && character.is_whitespace());
    }
    false
}

fn contains_uuid(text: &str) -> bool {
    text.split(|character: char| !character.is_ascii_alphanumeric() && character != '-')
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
    #[case::small_numbers("3 forsøg den 24. november, 2 dage senere 17 opkald")]
    #[case::longest(&"å".repeat(200))]
    fn r9_free_text_without_personal_numbers_is_accepted(#[case] text: &str) {
        assert_eq!(StatedReason::parse(text).unwrap().as_str(), text);
    }

    #[rstest]
    #[case::empty("", StatedReasonError::Missing)]
    #[case::blank("  ", StatedReasonError::Missing)]
    #[case::too_long(&"x".repeat(201), StatedReasonError::TooLong)]
    #[case::two_lines("a\nb", StatedReasonError::NotText)]
    #[case::two_lines_by_unicode("a\u{2028}b", StatedReasonError::NotText)]
    #[case::right_to_left_override("sag \u{202e}14-20", StatedReasonError::NotText)]
    #[case::right_to_left_isolate("sag \u{2067}14-20\u{2069}", StatedReasonError::NotText)]
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
    fn r9_empty_long_or_personal_texts_are_refused(#[case] text: &str, #[case] error: StatedReasonError) {
        assert_eq!(StatedReason::parse(text), Err(error));
        assert!(!error.to_string().contains("1234"));
    }
}

//! Check digits, and what they protect.

use std::ops::Range;

use super::MrzError;

/// Weights of the characters in a check digit, used in turn.
const CHECK_DIGIT_WEIGHTS: [u32; 3] = [7, 3, 1];

/// Whether the text has the form of a birth date: YYMMDD, with `<` for parts that the issuer does not know.
pub(super) fn is_birth_date(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'<')
}

/// The text of that range, if the check digit right after it is right.
pub(super) fn read_checked<'a>(zone: &'a str, range: &Range<usize>) -> Result<&'a str, MrzError> {
    let text = &zone[range.clone()];
    if zone.as_bytes()[range.end] == compute_check_digit(text) { Ok(text) } else { Err(MrzError::CheckDigit) }
}

/// The check digit as an ASCII character (ICAO Doc 9303 part 3, "Check digits in the MRZ"): the sum modulo 10 of all characters, weighted
/// 7, 3, 1 in turn. A–Z count 10–35, `<` counts 0.
pub(super) fn compute_check_digit(text: &str) -> u8 {
    let sum: u32 = text
        .bytes()
        .zip(CHECK_DIGIT_WEIGHTS.into_iter().cycle())
        .map(|(byte, weight)| char::from(byte).to_digit(36).unwrap_or(0) * weight)
        .sum();
    // `unwrap_or` never applies: the remainder is below 10.
    b'0' + u8::try_from(sum % 10).unwrap_or(0)
}

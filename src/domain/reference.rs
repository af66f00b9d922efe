//! References into the systems of support and counter: case, office, appointment. They are stored as they are, so they must not
//! be CPR numbers.

use super::cpr::CprNumber;

/// Most characters of a reference.
const MAX_CHARACTERS: usize = 64;

/// What systems write in a reference beside letters and digits.
const PUNCTUATION: &[u8] = b"._-/";

/// Digits of a CPR number before its separator.
const DIGITS_OF_THE_DATE: usize = 6;

/// Why a text is not accepted as a reference. The error does not repeat the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceError {
    #[error("is required")]
    Missing,
    #[error("must have at most {MAX_CHARACTERS} characters")]
    TooLong,
    #[error("may contain only the letters A–Z a–z, digits and . _ - /")]
    Characters,
    #[error("must not be a CPR number: it is stored as it is")]
    CprNumber,
}

/// Checks a reference. `own`: the CPR number that the same request names.
///
/// Booking systems make numbers of ten digits, and many begin with a date: 2411261430 is a visit at half past two. So ten digits
/// are refused only where there is no doubt ([`is_certainly_cpr_number`]).
pub fn check_reference(text: &str, own: Option<&CprNumber>) -> Result<(), ReferenceError> {
    if text.is_empty() {
        Err(ReferenceError::Missing)
    } else if text.chars().count() > MAX_CHARACTERS {
        Err(ReferenceError::TooLong)
    } else if is_certainly_cpr_number(text) || own.is_some_and(|own| contains_number(text, own)) {
        Err(ReferenceError::CprNumber)
    } else if text.bytes().all(|byte| byte.is_ascii_alphanumeric() || PUNCTUATION.contains(&byte)) {
        Ok(())
    } else {
        Err(ReferenceError::Characters)
    }
}

/// Whether the text is a CPR number beyond doubt: six digits of a date, a separator and four digits; or ten digits that begin with
/// a date and fulfil modulus 11, and whose last four are no time of day.
fn is_certainly_cpr_number(text: &str) -> bool {
    let is_separator = |byte: &u8| *byte == b' ' || PUNCTUATION.contains(byte);
    let has_separator = text.as_bytes().get(DIGITS_OF_THE_DATE).is_some_and(is_separator);
    if has_separator {
        let digits = [&text[..DIGITS_OF_THE_DATE], &text[DIGITS_OF_THE_DATE + 1..]].concat();
        return CprNumber::parse(&digits).is_ok();
    }
    CprNumber::parse(text).is_ok_and(|number| number.fulfils_modulus_11() && !is_time_of_day(&number.digits()[6..]))
}

/// Whether the digits of the text, without what stands between them, contain the number.
fn contains_number(text: &str, number: &CprNumber) -> bool {
    let digits = zeroize::Zeroizing::new(text.chars().filter(char::is_ascii_digit).collect::<String>());
    digits.contains(number.digits())
}

/// Whether the four digits are a time from 0000 to 2359.
fn is_time_of_day(digits: &str) -> bool {
    let (hours, minutes) = digits.split_at(2);
    hours < "24" && minutes < "60"
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::case_number("26/12345", Ok(()))]
    #[case::case_number_of_a_municipality("2026-04711/3", Ok(()))]
    #[case::sequence("S2026_00042.1", Ok(()))]
    #[case::visit_at_half_past_two("2411261430", Ok(()))]
    #[case::visit_that_fulfils_modulus_11("2411260804", Ok(()))]
    #[case::date_without_modulus_11("0101801235", Ok(()))]
    #[case::ten_digits_without_date("3113801234", Ok(()))]
    #[case::uuid("6f1c2e0a-4f57-4c4e-9a0e-0d9a5b0f7c11", Ok(()))]
    #[case::short("7", Ok(()))]
    #[case::cpr_number_with_hyphen("010180-1235", Err(ReferenceError::CprNumber))]
    #[case::with_slash("010180/1235", Err(ReferenceError::CprNumber))]
    #[case::with_point("010180.1235", Err(ReferenceError::CprNumber))]
    #[case::with_space("010180 1235", Err(ReferenceError::CprNumber))]
    #[case::ten_digits_that_fulfil_modulus_11("0707614285", Err(ReferenceError::CprNumber))]
    #[case::hyphen_without_date("990180-1234", Ok(()))]
    #[case::empty("", Err(ReferenceError::Missing))]
    #[case::comma("today, at noon", Err(ReferenceError::Characters))]
    #[case::letter_of_another_alphabet("sag-æ", Err(ReferenceError::Characters))]
    #[case::letters_of_several_bytes("ææææææ-1234", Err(ReferenceError::Characters))]
    fn r19_references_are_what_case_and_booking_systems_write(
        #[case] text: &str,
        #[case] expected: Result<(), ReferenceError>,
    ) {
        assert_eq!(check_reference(text, None), expected);
    }

    #[rstest]
    #[case("0101801235", Err(ReferenceError::CprNumber))]
    #[case("SAG-010180-1235", Err(ReferenceError::CprNumber))]
    #[case("01-01-80/12-35", Err(ReferenceError::CprNumber))]
    #[case("0101801236", Ok(()))]
    #[case("26/12345", Ok(()))]
    fn r19_a_reference_does_not_hold_the_persons_own_cpr_number(
        #[case] text: &str,
        #[case] expected: Result<(), ReferenceError>,
    ) {
        let own = CprNumber::parse("0101801235").unwrap();
        assert_eq!(check_reference(text, Some(&own)), expected);
    }

    #[test]
    fn r19_a_reference_has_at_most_64_characters() {
        assert_eq!(check_reference(&"7".repeat(64), None), Ok(()));
        assert_eq!(check_reference(&"7".repeat(65), None), Err(ReferenceError::TooLong));
    }
}

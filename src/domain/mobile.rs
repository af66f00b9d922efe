//! Mobile numbers (R14).

use std::fmt;

use rlibphonenumber::{NumberLengthType, PhoneNumber, PhoneNumberFormat, PhoneNumberType};
use zeroize::Zeroizing;

/// Most digits of an international number (ITU-T E.164, 6.2.1).
const MAX_DIGITS: usize = 15;

const DANISH_CALLING_CODE: u16 = 45;

/// Digits of a Danish number without the calling code. No Danish number begins with 0 or 1.
const DANISH_DIGITS: usize = 8;

/// How many of the last digits [`MobileNumber::masked`] shows.
const SHOWN_DIGITS: usize = 2;

/// A phone number in E.164 form (`+4512345678`). Masked in `Debug`, wiped when dropped.
#[derive(Clone, PartialEq, Eq, zeroize::ZeroizeOnDrop)]
pub struct MobileNumber {
    e164: String,
    calling_code: u16,
    /// A toll-free or premium-rate number, which cannot be a person's mobile phone.
    is_toll_free_or_premium: bool,
}

/// The text is not a phone number in E.164 form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a phone number in E.164 form, such as +4520123456")]
pub struct MobileNumberError;

impl MobileNumber {
    /// Parses a number in E.164 form: `+`, country calling code and national number, without separators.
    ///
    /// The length must be right for the country. The number range is not checked: numbering plans open new ranges (Faroese
    /// 93) before the library knows them. Nor is it checked that the number is a mobile number: Danish numbers do not show
    /// it, so the register decides.
    pub fn parse(text: &str) -> Result<Self, MobileNumberError> {
        // Checked before the library parses the text: the library accepts other forms and longer numbers, and panics on some
        // texts.
        let digits = text.strip_prefix('+').ok_or(MobileNumberError)?;
        if digits.len() > MAX_DIGITS || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(MobileNumberError);
        }
        let number: PhoneNumber = text.parse().map_err(|_| MobileNumberError)?;
        if number.is_possible_with_reason() != Ok(NumberLengthType::IsPossible)
            || number.format_as(PhoneNumberFormat::E164) != text
        {
            return Err(MobileNumberError);
        }
        Ok(Self {
            e164: text.to_owned(),
            calling_code: u16::try_from(number.country_code).map_err(|_| MobileNumberError)?,
            is_toll_free_or_premium: matches!(
                number.get_type(),
                PhoneNumberType::TollFree | PhoneNumberType::PremiumRate
            ),
        })
    }

    /// Parses a number as registers write it. Besides the E.164 form these are understood: spaces, hyphens, points and brackets
    /// between the digits, `00` for the `+`, and Danish numbers of eight digits without country calling code. Nothing else is
    /// guessed, because a PIN would go to another person's phone.
    pub fn parse_registered(text: &str) -> Result<Self, MobileNumberError> {
        let is_separator = |character: char| character.is_whitespace() || matches!(character, '-' | '.' | '(' | ')');
        let compact = Zeroizing::new(text.chars().filter(|character| !is_separator(*character)).collect::<String>());
        let is_danish = compact.len() == DANISH_DIGITS && compact.starts_with(|first: char| matches!(first, '2'..='9'));
        let e164 = Zeroizing::new(match compact.strip_prefix("00") {
            Some(international) => format!("+{international}"),
            None if is_danish => format!("+{DANISH_CALLING_CODE}{}", compact.as_str()),
            None => compact.to_string(),
        });
        Self::parse(&e164)
    }

    /// The number with its `+`. Use it only to seal a message, to make a pseudonym and to call the gateway.
    #[must_use]
    pub fn e164(&self) -> &str {
        &self.e164
    }

    /// The country calling code, without `+`.
    #[must_use]
    pub const fn calling_code(&self) -> u16 {
        self.calling_code
    }

    /// R14: whether a PIN may be sent to this number. `destinations`: the allowed country calling codes.
    #[must_use]
    pub fn is_allowed(&self, destinations: &[u16]) -> bool {
        !self.is_toll_free_or_premium && destinations.contains(&self.calling_code)
    }

    /// The number as callers may show it: in pairs, all but the last two digits masked (`+45 ** ** ** 56`).
    #[must_use]
    pub fn masked(&self) -> String {
        let code = format!("+{}", self.calling_code);
        let national = &self.e164[code.len()..];
        let masked_digits = national.len().saturating_sub(SHOWN_DIGITS);
        let mut masked = code;
        for (index, digit) in national.chars().enumerate() {
            if (national.len() - index).is_multiple_of(2) || index == 0 {
                masked.push(' ');
            }
            masked.push(if index < masked_digits { '*' } else { digit });
        }
        masked
    }
}

impl fmt::Debug for MobileNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MobileNumber(****)")
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::denmark("+4520123456", true)]
    #[case::greenland("+299521234", true)]
    #[case::faroes("+298211234", true)]
    #[case::sweden("+46701234567", true)]
    #[case::spaces("+45 20 12 34 56", false)]
    #[case::no_plus("4520123456", false)]
    #[case::zeros_for_plus("004520123456", false)]
    #[case::national("20123456", false)]
    #[case::too_short("+452012345", false)]
    #[case::too_long("+45201234567", false)]
    #[case::longer_than_e164_allows("+6270000062700000000", false)]
    #[case::range_unknown_to_the_library("+298930000", true)]
    #[case::no_such_country("+999123456", false)]
    #[case::extension("+4520123456;ext=1", false)]
    #[case::tel_uri("tel:+4520123456", false)]
    #[case::panics_the_library("PPP`P]Ex;phone-context=pe;ntxt=<0tel:TTT", false)]
    #[case::other_digits("+٤٥٢٠١٢٣٤٥٦", false)]
    #[case::empty("", false)]
    fn r14_only_valid_e164_numbers_parse(#[case] text: &str, #[case] valid: bool) {
        assert_eq!(MobileNumber::parse(text).is_ok(), valid);
    }

    #[rstest]
    #[case::e164("+4520123456", Some("+4520123456"))]
    #[case::spaced("+45 20 12 34 56", Some("+4520123456"))]
    #[case::zeros_for_plus("004520123456", Some("+4520123456"))]
    #[case::zeros_and_spaces("0045 20 12 34 56", Some("+4520123456"))]
    #[case::danish("20123456", Some("+4520123456"))]
    #[case::danish_and_spaced("20 12 34 56", Some("+4520123456"))]
    #[case::hyphens_points_and_brackets("(+45) 20-12.34-56", Some("+4520123456"))]
    #[case::spaces_that_do_not_break("\u{a0}+45\u{202f}20123456 ", Some("+4520123456"))]
    #[case::greenlandic("00299 52 12 34", Some("+299521234"))]
    #[case::greenlandic_without_code("521234", None)]
    #[case::code_without_plus("4520123456", None)]
    #[case::no_danish_number("00123456", None)]
    #[case::nor_this("11223344", None)]
    #[case::nine_digits("201234567", None)]
    #[case::trunk_zero("+46 (0)70 123 45 67", None)]
    #[case::two_pluses("++4520123456", None)]
    #[case::extension("20 12 34 56 lok. 7", None)]
    #[case::two_numbers("20123456, 30123456", None)]
    #[case::other_digits("٢٠١٢٣٤٥٦", None)]
    #[case::empty("", None)]
    fn r14_numbers_in_the_dress_of_registers_are_understood(#[case] text: &str, #[case] e164: Option<&str>) {
        assert_eq!(MobileNumber::parse_registered(text).ok().as_ref().map(MobileNumber::e164), e164);
    }

    #[rstest]
    #[case::denmark("+4520123456", true)]
    #[case::greenland("+299521234", true)]
    #[case::faroes("+298211234", true)]
    #[case::sweden("+46701234567", false)]
    #[case::danish_toll_free("+4580123456", false)]
    #[case::danish_premium("+4590123456", false)]
    #[case::greenlandic_toll_free("+299801234", false)]
    fn r14_only_allowed_destinations_get_a_pin(#[case] text: &str, #[case] allowed: bool) {
        assert_eq!(MobileNumber::parse(text).unwrap().is_allowed(&[45, 299, 298]), allowed);
    }

    #[rstest]
    #[case("+4520123456", "+45 ** ** ** 56")]
    #[case("+299521234", "+299 ** ** 34")]
    #[case("+46701234567", "+46 * ** ** ** 67")]
    fn all_but_the_last_two_digits_are_masked(#[case] text: &str, #[case] masked: &str) {
        let number = MobileNumber::parse(text).unwrap();
        assert_eq!(number.masked(), masked);
        assert_eq!(format!("{number:?}"), "MobileNumber(****)");
    }
}

//! CPR numbers and CPR status (R12; cpr.dk, "Personnummeret i CPR").

use std::fmt;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use chrono::NaiveDate;
use zeroize::Zeroizing;

/// What a replacement number adds to the day of birth.
const REPLACEMENT_DAY_OFFSET: u32 = 60;

/// A CPR number: ten digits DDMMYYSSSS, of which the first six are the birth date. Masked in `Debug`, wiped when dropped.
#[derive(Clone, Eq, zeroize::ZeroizeOnDrop)]
pub struct CprNumber(String);

/// Why a text is not a CPR number. The error does not repeat the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CprNumberError {
    /// The text does not consist of ten digits.
    #[error("must be ten digits, DDMMYY-SSSS or DDMMYYSSSS")]
    NotTenDigits,
    /// The first six digits are not a date.
    #[error("its first six digits must be a date, DDMMYY")]
    NotADate,
}

impl CprNumber {
    /// Parses ten digits. One hyphen or space after the sixth digit is accepted. Replacement numbers parse too: see
    /// [`Self::is_replacement`]. The modulus 11 check is not made, because CPR has issued numbers that fail it since 2007.
    pub fn parse(text: &str) -> Result<Self, CprNumberError> {
        let text = text.trim();
        let mut digits = Zeroizing::new(match text.as_bytes() {
            [_, _, _, _, _, _, b'-' | b' ', _, _, _, _] => format!("{}{}", &text[..6], &text[7..]),
            _ => text.to_owned(),
        });
        if digits.len() != 10 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(CprNumberError::NotTenDigits);
        }
        let number = Self(std::mem::take(&mut digits));
        if number.date().is_some() { Ok(number) } else { Err(CprNumberError::NotADate) }
    }

    /// The ten digits. Use them only to seal a value, to make a pseudonym and to ask the register.
    #[must_use]
    pub fn digits(&self) -> &str {
        &self.0
    }

    /// Whether this is a replacement number (erstatningspersonnummer), which systems outside CPR make up: the day is raised
    /// by 60, to 61–91.
    #[must_use]
    pub fn is_replacement(&self) -> bool {
        self.digit(0) >= REPLACEMENT_DAY_OFFSET / 10
    }

    /// Whether the number fulfils the modulus 11 check. Most numbers do; those that CPR has issued since 2007 need not.
    #[must_use]
    pub fn fulfils_modulus_11(&self) -> bool {
        const WEIGHTS: [u32; 10] = [4, 3, 2, 7, 6, 5, 4, 3, 2, 1];
        let sum: u32 = WEIGHTS.iter().enumerate().map(|(index, weight)| self.digit(index) * weight).sum();
        sum.is_multiple_of(11)
    }

    /// The birth date. The seventh digit and the year of two digits determine the century (cpr.dk, "Personnummeret i CPR",
    /// table of the seventh digit).
    fn date(&self) -> Option<NaiveDate> {
        let two_digits = |index: usize| self.digit(index) * 10 + self.digit(index + 1);
        let day = if self.is_replacement() { two_digits(0) - REPLACEMENT_DAY_OFFSET } else { two_digits(0) };
        let (year, seventh) = (two_digits(4), self.digit(6));
        let century = match (seventh, year) {
            (0..=3, _) | (4 | 9, 37..=99) => 1900,
            (4 | 9, _) | (_, 0..=57) => 2000,
            _ => 1800,
        };
        NaiveDate::from_ymd_opt(i32::try_from(century + year).ok()?, two_digits(2), day)
    }

    /// The digit at that position, from 0 to 9.
    fn digit(&self, index: usize) -> u32 {
        u32::from(self.0.as_bytes()[index] - b'0')
    }
}

/// Compares in constant time.
impl PartialEq for CprNumber {
    fn eq(&self, other: &Self) -> bool {
        verify_slices_are_equal(self.0.as_bytes(), other.0.as_bytes()).is_ok()
    }
}

impl fmt::Debug for CprNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CprNumber(******-****)")
    }
}

/// The status of a person in CPR (kaqa.gl, list of CPR codes). The number of each is the code in CPR; 97 and 99 are those of
/// Greenlandic systems.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CprStatus {
    /// 01
    ActiveDenmark,
    /// 03
    ActiveDenmarkSpecialRoad,
    /// 05
    ActiveGreenland,
    /// 07
    ActiveGreenlandSpecialRoad,
    /// 10
    Reserved,
    /// 20
    NoResidence,
    /// 30
    Annulled,
    /// 50
    Deleted,
    /// 60
    Changed,
    /// 70
    Disappeared,
    /// 80
    Emigrated,
    /// 90
    Dead,
    /// 97: the data has not been updated from CPR.
    NotUpdated,
    /// 99: the status is not known.
    Unknown,
    /// A code that this service does not know.
    Other,
}

impl CprStatus {
    /// The status with that code of two digits.
    #[must_use]
    pub fn from_code(code: &str) -> Self {
        match code {
            "01" => Self::ActiveDenmark,
            "03" => Self::ActiveDenmarkSpecialRoad,
            "05" => Self::ActiveGreenland,
            "07" => Self::ActiveGreenlandSpecialRoad,
            "10" => Self::Reserved,
            "20" => Self::NoResidence,
            "30" => Self::Annulled,
            "50" => Self::Deleted,
            "60" => Self::Changed,
            "70" => Self::Disappeared,
            "80" => Self::Emigrated,
            "90" => Self::Dead,
            "97" => Self::NotUpdated,
            "99" => Self::Unknown,
            _ => Self::Other,
        }
    }

    /// Whether the person may have another number now: this one was changed, or was a duplicate and is deleted.
    #[must_use]
    pub const fn may_have_successor(self) -> bool {
        matches!(self, Self::Changed | Self::Deleted)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::plain("0101801234", Ok("0101801234"))]
    #[case::hyphen("010180-1234", Ok("0101801234"))]
    #[case::space(" 010180 1234 ", Ok("0101801234"))]
    #[case::modulus_11_does_not_count("0101801235", Ok("0101801235"))]
    #[case::replacement("6101801234", Ok("6101801234"))]
    #[case::nine_digits("010180123", Err(CprNumberError::NotTenDigits))]
    #[case::letters("010180AB34", Err(CprNumberError::NotTenDigits))]
    #[case::two_separators("010180--1234", Err(CprNumberError::NotTenDigits))]
    #[case::other_digits("٠١٠١٨٠١٢٣٤", Err(CprNumberError::NotTenDigits))]
    #[case::no_such_day("3102801234", Err(CprNumberError::NotADate))]
    #[case::no_such_month("0113801234", Err(CprNumberError::NotADate))]
    #[case::no_leap_day_in_1900("2902001234", Err(CprNumberError::NotADate))]
    #[case::leap_day_in_2000("2902004234", Ok("2902004234"))]
    fn parses(#[case] text: &str, #[case] expected: Result<&str, CprNumberError>) {
        assert_eq!(CprNumber::parse(text).as_ref().map(CprNumber::digits), expected.as_ref().copied());
    }

    #[rstest]
    #[case("0101003000", 1900)]
    #[case("0101993000", 1999)]
    #[case("0101364000", 2036)]
    #[case("0101374000", 1937)]
    #[case("0101575000", 2057)]
    #[case("0101585000", 1858)]
    #[case("0101998000", 1899)]
    #[case("0101369000", 2036)]
    #[case("0101379000", 1937)]
    fn the_seventh_digit_determines_the_century(#[case] digits: &str, #[case] year: i32) {
        assert_eq!(CprNumber::parse(digits).unwrap().date(), NaiveDate::from_ymd_opt(year, 1, 1));
    }

    #[rstest]
    #[case("0101801234", false)]
    #[case("3112801234", false)]
    #[case("6101801234", true)]
    #[case("9112801234", true)]
    fn r12_replacement_numbers_have_60_more_days(#[case] digits: &str, #[case] replacement: bool) {
        assert_eq!(CprNumber::parse(digits).unwrap().is_replacement(), replacement);
    }

    #[rstest]
    #[case("60", true)]
    #[case("50", true)]
    #[case("30", false)]
    #[case("01", false)]
    #[case("97", false)]
    fn r12_a_changed_and_a_deleted_number_may_have_a_successor(#[case] code: &str, #[case] may_have: bool) {
        assert_eq!(CprStatus::from_code(code).may_have_successor(), may_have);
    }

    #[rstest]
    #[case("0707614285", true)]
    #[case("0101586006", true)]
    #[case("0707614286", false)]
    #[case("0101801234", false)]
    fn most_numbers_fulfil_modulus_11(#[case] digits: &str, #[case] expected: bool) {
        assert_eq!(CprNumber::parse(digits).unwrap().fulfils_modulus_11(), expected);
    }

    #[test]
    fn debug_does_not_show_the_number() {
        assert_eq!(format!("{:?}", CprNumber::parse("0101801234").unwrap()), "CprNumber(******-****)");
    }
}

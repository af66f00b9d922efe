//! CPR numbers and CPR status (domain: cpr.dk, "Personnummeret i CPR").

use std::fmt;

use chrono::NaiveDate;

/// A CPR number: ten digits DDMMYYSSSS whose first six are a date. Masked in `Debug`, wiped when dropped.
#[derive(Clone, PartialEq, Eq, zeroize::ZeroizeOnDrop)]
pub struct CprNumber(String);

/// Why a text is no CPR number. Says nothing of the text itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CprNumberError {
    /// Not ten digits.
    #[error("must be ten digits, DDMMYY-SSSS or DDMMYYSSSS")]
    NotTenDigits,
    /// The first six digits are no date.
    #[error("its first six digits must be a date, DDMMYY")]
    NotADate,
}

impl CprNumber {
    /// Parses ten digits; one hyphen or space after the sixth is accepted. Replacement numbers (day raised by 60) are
    /// numbers too: see [`Self::is_replacement`]. Modulus 11 is no reason to refuse (numbers without it exist since 2007).
    pub fn parse(text: &str) -> Result<Self, CprNumberError> {
        let text = text.trim();
        let digits = match text.as_bytes() {
            [_, _, _, _, _, _, b'-' | b' ', _, _, _, _] => format!("{}{}", &text[..6], &text[7..]),
            _ => text.to_owned(),
        };
        if digits.len() != 10 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(CprNumberError::NotTenDigits);
        }
        let number = Self(digits);
        if number.date().is_some() { Ok(number) } else { Err(CprNumberError::NotADate) }
    }

    /// The ten digits. For sealing, pseudonyms and the register only.
    #[must_use]
    pub fn digits(&self) -> &str {
        &self.0
    }

    /// Whether it is a replacement number (erstatningspersonnummer): day 61–91. Not a real CPR number.
    #[must_use]
    pub fn is_replacement(&self) -> bool {
        self.0.as_bytes()[0] >= b'6'
    }

    fn date(&self) -> Option<NaiveDate> {
        let digit = |index: usize| u32::from(self.0.as_bytes()[index] - b'0');
        let two = |index: usize| digit(index) * 10 + digit(index + 1);
        let day = if digit(0) >= 6 { two(0) - 60 } else { two(0) };
        let (year, seventh) = (two(4), digit(6));
        let century = match (seventh, year) {
            (0..=3, _) | (4 | 9, 37..=99) => 1900,
            (4 | 9, _) | (_, 0..=57) => 2000,
            _ => 1800,
        };
        NaiveDate::from_ymd_opt(i32::try_from(century + year).ok()?, two(2), day)
    }
}

impl fmt::Debug for CprNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CprNumber(******-****)")
    }
}

/// The status of a person in CPR (kaqa.gl CPR codes).
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
}

impl CprStatus {
    /// The status with that two-digit code.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Some(match code {
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
            _ => return None,
        })
    }
}

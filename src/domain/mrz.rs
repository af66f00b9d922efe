//! The machine readable zone of travel documents (ICAO Doc 9303, parts 3 to 6; R19).

use std::fmt;
use std::ops::Range;

use chrono::{Datelike as _, NaiveDate};

use super::document::{Document, DocumentKind, RegisteredDocument};

/// What a zone says, its check digits being right. Masked in `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Mrz {
    /// First letter of the document code: P for passports; A, C or I for cards.
    code: u8,
    issuer: String,
    number: String,
    /// YYMMDD; parts that the issuer does not know are `<<`.
    birth_date: String,
    /// YYMMDD.
    expiry_date: String,
}

impl fmt::Debug for Mrz {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mrz(****)")
    }
}

/// Why lines are no machine readable zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MrzError {
    /// Number or length of lines, characters, or a date.
    #[error("must be 2 lines of 44, 2 of 36 or 3 of 30 characters A-Z, 0-9 and <, as ICAO 9303 lays out")]
    Form,
    /// A check digit is wrong: misread, or forged.
    #[error("a check digit does not fit")]
    CheckDigit,
}

/// Where things stand in one of the three sizes, all lines run together.
struct Layout {
    line_length: usize,
    number: Range<usize>,
    birth_date: Range<usize>,
    expiry_date: Range<usize>,
    optional: Range<usize>,
    /// Whether a check digit of its own follows the optional data.
    optional_checked: bool,
    /// What the composite check digit covers.
    composite: &'static [Range<usize>],
    composite_digit: usize,
}

/// Three lines of 30: cards.
const TD1: Layout = Layout {
    line_length: 30,
    number: 5..14,
    birth_date: 30..36,
    expiry_date: 38..44,
    optional: 15..30,
    optional_checked: false,
    composite: &[5..37, 38..45, 48..59],
    composite_digit: 59,
};

/// Two lines of 36: older cards.
const TD2: Layout = Layout {
    line_length: 36,
    number: 36..45,
    birth_date: 49..55,
    expiry_date: 57..63,
    optional: 64..71,
    optional_checked: false,
    composite: &[36..46, 49..56, 57..71],
    composite_digit: 71,
};

/// Two lines of 44: passports.
const TD3: Layout = Layout {
    line_length: 44,
    number: 44..53,
    birth_date: 57..63,
    expiry_date: 65..71,
    optional: 72..86,
    optional_checked: true,
    composite: &[44..54, 57..64, 65..87],
    composite_digit: 87,
};

impl Mrz {
    /// Reads the scanned lines. Space around a line is ignored.
    pub fn parse(lines: &[String]) -> Result<Self, MrzError> {
        let lines: Vec<&str> = lines.iter().map(|line| line.trim()).collect();
        let layout = match lines[..] {
            [first, _, _] if first.len() == TD1.line_length => TD1,
            [first, _] if first.len() == TD2.line_length => TD2,
            [first, _] if first.len() == TD3.line_length => TD3,
            _ => return Err(MrzError::Form),
        };
        let zone = lines.concat();
        let allowed = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'<';
        if lines.iter().any(|line| line.len() != layout.line_length) || !zone.bytes().all(allowed) {
            return Err(MrzError::Form);
        }
        // From here on every character is one byte, and every range of the layout lies within the zone.
        layout.read(&zone)
    }

    /// Whether the zone agrees with the document as it was told and as its register knows it, and with the person's
    /// birth date; and is not past its last day.
    #[must_use]
    pub fn agrees_with(
        &self,
        document: &Document,
        registered: Option<&RegisteredDocument>,
        birth_date: NaiveDate,
        today: NaiveDate,
    ) -> bool {
        let kind = match document.kind {
            DocumentKind::Passport => self.code == b'P',
            DocumentKind::IdentityCard | DocumentKind::ResidencePermit => matches!(self.code, b'A' | b'C' | b'I'),
            // Driving licences have no zone of this standard.
            DocumentKind::DrivingLicence => false,
        };
        let expiry_date = self.expiry_date(today);
        kind && self.is_issued_by(&document.issuer)
            && self.number == document.number
            && self.is_born_on(birth_date)
            && expiry_date.is_some_and(|date| today <= date)
            && registered.is_none_or(|registered| Some(registered.expiry_date) == expiry_date)
    }

    /// Denmark issues for Greenland and the Faroes; Germany's code has one letter here.
    fn is_issued_by(&self, issuer: &str) -> bool {
        match self.issuer.as_str() {
            "DNK" => matches!(issuer, "DNK" | "GRL" | "FRO"),
            "D" => issuer == "DEU",
            code => code == issuer,
        }
    }

    /// Parts of the birth date that the zone leaves open fit every date.
    fn is_born_on(&self, date: NaiveDate) -> bool {
        let told = date.format("%y%m%d").to_string();
        self.birth_date.len() == told.len()
            && self.birth_date.bytes().zip(told.bytes()).all(|(read, told)| read == told || read == b'<')
    }

    /// The last day of validity, in the century that brings it nearest to today.
    fn expiry_date(&self, today: NaiveDate) -> Option<NaiveDate> {
        let part = |range: Range<usize>| self.expiry_date.get(range)?.parse::<u32>().ok();
        let (year, month, day) = (i32::try_from(part(0..2)?).ok()?, part(2..4)?, part(4..6)?);
        let century = today.year() - today.year().rem_euclid(100);
        let year = [century - 100, century, century + 100]
            .map(|century| century + year)
            .into_iter()
            .min_by_key(|year| year.abs_diff(today.year()))?;
        NaiveDate::from_ymd_opt(year, month, day)
    }
}

impl Layout {
    fn read(&self, zone: &str) -> Result<Mrz, MrzError> {
        let code = zone.as_bytes()[0];
        if !matches!(code, b'P' | b'A' | b'C' | b'I') {
            return Err(MrzError::Form);
        }
        let composite: String = self.composite.iter().map(|range| &zone[range.clone()]).collect();
        let composite_digit = zone.as_bytes()[self.composite_digit];
        let number = self.number(zone)?;
        checked(zone, &self.birth_date)?;
        checked(zone, &self.expiry_date)?;
        let optional = &zone[self.optional.clone()];
        let optional_digit = zone.as_bytes()[self.optional.end];
        let optional_empty = optional.bytes().all(|byte| byte == b'<') && optional_digit == b'<';
        if check_digit(&composite) != composite_digit
            || (self.optional_checked && !optional_empty && check_digit(optional) != optional_digit)
        {
            return Err(MrzError::CheckDigit);
        }
        let mrz = Mrz {
            code,
            issuer: zone[2..5].replace('<', ""),
            number,
            birth_date: zone[self.birth_date.clone()].to_owned(),
            expiry_date: zone[self.expiry_date.clone()].to_owned(),
        };
        let dates_fit = mrz.expiry_date.bytes().all(|byte| byte.is_ascii_digit())
            && mrz.birth_date.bytes().all(|byte| byte.is_ascii_digit() || byte == b'<');
        if dates_fit { Ok(mrz) } else { Err(MrzError::Form) }
    }

    /// The document number. On cards a long one leaves its check digit's place empty and goes on in the optional data,
    /// where its check digit and an empty place end it.
    fn number(&self, zone: &str) -> Result<String, MrzError> {
        let bytes = zone.as_bytes();
        let long = !self.optional_checked && bytes[self.number.end] == b'<';
        let number = if long {
            let rest = zone[self.optional.clone()].split('<').next().unwrap_or_default();
            let (rest, digit) = rest.split_at_checked(rest.len().saturating_sub(1)).ok_or(MrzError::Form)?;
            let number = format!("{}{rest}", &zone[self.number.clone()]);
            if digit.as_bytes() != [check_digit(&number)] {
                return Err(MrzError::CheckDigit);
            }
            number
        } else {
            checked(zone, &self.number)?.to_owned()
        };
        Ok(number.replace('<', ""))
    }
}

/// The text at that place, if the check digit right after it fits.
fn checked<'a>(zone: &'a str, range: &Range<usize>) -> Result<&'a str, MrzError> {
    let text = &zone[range.clone()];
    if zone.as_bytes()[range.end] == check_digit(text) { Ok(text) } else { Err(MrzError::CheckDigit) }
}

/// The check digit, as a character: weights 7, 3, 1 over and over, A–Z worth 10–35, `<` nothing, modulo 10.
fn check_digit(text: &str) -> u8 {
    let sum: u32 = text
        .bytes()
        .zip([7, 3, 1].into_iter().cycle())
        .map(|(byte, weight)| char::from(byte).to_digit(36).unwrap_or(0) * weight)
        .sum();
    // The remainder is a decimal digit.
    b'0' + u8::try_from(sum % 10).unwrap_or(0)
}

#[cfg(test)]
mod tests;

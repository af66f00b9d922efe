//! The machine readable zone of travel documents (ICAO Doc 9303, parts 3 to 6; R19).

mod layout;

use std::fmt;
use std::ops::Range;

use chrono::{Datelike as _, NaiveDate};

use super::birth_date::BirthDate;
use super::document::{Document, DocumentKind, RegisteredDocument};

/// The contents of a machine readable zone whose check digits are right. Masked in `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Mrz {
    /// The first letter of the document code: P for passports; A, C or I for cards.
    document_code: u8,
    issuer: String,
    number: String,
    /// YYMMDD. Parts that the issuer does not know are `<<`.
    birth_date: String,
    /// YYMMDD.
    expiry_date: String,
}

impl fmt::Debug for Mrz {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mrz(****)")
    }
}

/// Why the lines are not a machine readable zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MrzError {
    /// The number of lines, their length, a character or a date is not allowed.
    #[error("must be 2 lines of 44, 2 of 36 or 3 of 30 characters A-Z, 0-9 and <, as ICAO 9303 lays out")]
    Form,
    /// A check digit is wrong: the zone was misread, or it is forged.
    #[error("a check digit does not fit")]
    CheckDigit,
}

impl Mrz {
    /// Whether the zone agrees with the fields that the clerk entered, with the register (if the register knows the document)
    /// and with the person's birth date, and whether the document is still valid on `today`.
    #[must_use]
    pub fn agrees_with(
        &self,
        document: &Document,
        registered: Option<&RegisteredDocument>,
        birth_date: impl Into<BirthDate>,
        today: NaiveDate,
    ) -> bool {
        let agrees_with_kind = match document.kind {
            DocumentKind::Passport => self.document_code == b'P',
            DocumentKind::IdentityCard | DocumentKind::ResidencePermit | DocumentKind::ForeignMinistryCard => {
                matches!(self.document_code, b'A' | b'C' | b'I')
            }
            // They have no zone of this standard.
            DocumentKind::DrivingLicence | DocumentKind::MunicipalIdentityCard => false,
        };
        let expiry_date = self.expiry_date(today);
        agrees_with_kind
            && self.is_issued_by(&document.issuer)
            && self.number == document.number
            && self.is_born_on(birth_date.into())
            && expiry_date.is_some_and(|date| today <= date)
            && registered.is_none_or(|registered| Some(registered.expiry_date) == expiry_date)
    }

    /// Whether the issuer in the zone is that country. Denmark issues documents for Greenland and the Faroes, and the zone
    /// writes Germany as `D` (ICAO Doc 9303 part 3).
    fn is_issued_by(&self, issuer: &str) -> bool {
        match self.issuer.as_str() {
            "DNK" => matches!(issuer, "DNK" | "GRL" | "FRO"),
            "D" => issuer == "DEU",
            code => code == issuer,
        }
    }

    /// Whether the birth date in the zone is that date. Parts that the zone leaves open, or the register does not know, agree
    /// with every date.
    fn is_born_on(&self, date: BirthDate) -> bool {
        let expected = date.in_mrz_form();
        self.birth_date.len() == expected.len()
            && self
                .birth_date
                .bytes()
                .zip(expected.bytes())
                .all(|(read, expected)| read == expected || read == b'<' || expected == b'<')
    }

    /// The last day of validity. The zone gives no century: the year nearest to `today` is taken.
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

#[cfg(test)]
mod tests;

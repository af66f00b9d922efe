//! The machine readable zone of travel documents (ICAO Doc 9303, parts 3 to 6; R19), and of the French card of 1988 to 2021.

mod check_digit;
mod french_card;
mod layout;

use std::fmt;
use std::ops::Range;

use chrono::{Datelike as _, NaiveDate};

use super::birth_date::BirthDate;
use super::cpr::CprNumber;
use super::document::{Document, DocumentKind};

/// The issuer in the zone of Danish, Greenlandic and Faroese documents.
const DENMARK: &str = "DNK";

/// The contents of a machine readable zone whose check digits are right. Masked in `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Mrz {
    /// One or two letters: P for passports; A, C or I for cards. Issuers choose the second one.
    document_code: String,
    issuer: String,
    number: String,
    /// YYMMDD. Parts that the issuer does not know are `<<`.
    birth_date: String,
    /// YYMMDD. `None` if the layout has no expiry.
    expiry_date: Option<String>,
    /// What the issuer added, such as a personal number, with `<` around each part.
    optional: String,
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
    /// The document code does not belong to the layout.
    #[error("must begin with P on a passport (2 lines of 44), and with A, C or I on a card (3 lines of 30, 2 of 36)")]
    DocumentCode,
    /// A check digit is wrong: the zone was misread, or it is forged.
    #[error("a check digit does not fit")]
    CheckDigit,
}

impl Mrz {
    /// Whether the zone agrees with kind, issuer and number that the clerk entered, and with the person's birth date.
    #[must_use]
    pub fn agrees_with(&self, document: &Document, birth_date: impl Into<BirthDate>) -> bool {
        let code = self.document_code.as_bytes();
        let is_card = matches!(code, [b'A' | b'C' | b'I', ..]);
        let agrees_with_kind = match document.kind {
            DocumentKind::Passport => code.starts_with(b"P"),
            // The second letter R says that a card is a residence permit (Regulation (EC) No 1030/2002).
            DocumentKind::IdentityCard => is_card && !code.ends_with(b"R"),
            DocumentKind::ResidencePermit | DocumentKind::ForeignMinistryCard => is_card,
            // They have no zone of this standard.
            DocumentKind::DrivingLicence | DocumentKind::MunicipalIdentityCard => false,
        };
        agrees_with_kind
            && self.is_issued_by(&document.issuer)
            && self.number == document.number
            && self.is_born_on(birth_date.into())
    }

    /// Whether the document is a temporary one: an emergency passport (PE), or Germany's provisional identity card (IT).
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        self.document_code == "PE" || (self.document_code == "IT" && self.issuer == "D")
    }

    /// The CPR number of the holder, if the zone shows one: the optional data of documents that Denmark issues.
    #[must_use]
    pub fn cpr_number(&self) -> Option<CprNumber> {
        let mut parts = self.optional.split('<').filter(|_| self.issuer == DENMARK);
        parts.find_map(|part| CprNumber::parse(part).ok())
    }

    /// Whether the issuer in the zone is that country. The zone writes some countries in another way (ICAO Doc 9303 part 3):
    /// Denmark issues documents for Greenland and the Faroes, Germany is `D`, and the United Kingdom issues documents for its
    /// overseas territories.
    fn is_issued_by(&self, issuer: &str) -> bool {
        match self.issuer.as_str() {
            DENMARK => matches!(issuer, "DNK" | "GRL" | "FRO"),
            "D" => issuer == "DEU",
            "GBD" => matches!(issuer, "GBD" | "GBR"),
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

    /// The last day of validity; `None` if the layout does not tell. The zone gives no century: the year nearest to `today` is
    /// taken.
    #[must_use]
    pub fn expiry_date(&self, today: NaiveDate) -> Option<NaiveDate> {
        let text = self.expiry_date.as_deref()?;
        let part = |range: Range<usize>| text.get(range)?.parse::<u32>().ok();
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

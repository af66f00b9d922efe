//! Identity documents: their form, and what registers know of them. [`super::document_acceptance`] says which are accepted.

pub mod issuers;

use std::fmt;

use chrono::NaiveDate;
use serde::Deserialize;

use self::issuers::is_issuer;
use super::cpr::CprNumber;
use super::person::{MitidUuid, Person};

/// A kind of identity document. The settings name the kinds in `snake_case`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DocumentKind {
    Passport,
    DrivingLicence,
    /// National identity card.
    IdentityCard,
    /// Residence permit with photo.
    ResidencePermit,
    /// Identity card of the Danish Foreign Ministry.
    ForeignMinistryCard,
    /// Identity card of a Danish municipality.
    MunicipalIdentityCard,
}

impl DocumentKind {
    /// R15: whether a document of this kind can be read out on the phone.
    #[must_use]
    pub const fn is_of_the_phone(self) -> bool {
        matches!(self, Self::Passport | Self::DrivingLicence)
    }
}

/// Whether a document shows its holder's CPR number, as a clerk has seen it or a register knows it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CprNumberShown {
    /// Not said, or not known.
    #[default]
    Unstated,
    Yes,
    No,
}

/// A document as the person presents it. The number is left out of `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Document {
    pub kind: DocumentKind,
    /// The issuing country, ISO 3166-1 alpha-3.
    pub issuer: String,
    /// The document number: upper-case letters and digits, no spaces.
    pub number: String,
    /// The last day of validity as the document shows it, if it was stated.
    pub expiry_date: Option<NaiveDate>,
    pub cpr_number_shown: CprNumberShown,
}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Document").field("kind", &self.kind).field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

/// A malformed field of a document. The message is shown to the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DocumentFieldError {
    /// The issuer is no country that issues documents.
    #[error("must be the code of a country (ISO 3166-1 alpha-3), such as DNK")]
    Issuer,
    /// The number does not have the form that its kind and issuer require.
    #[error("must be {0}")]
    Number(&'static str),
}

impl Document {
    /// Parses a document. Lower-case letters are accepted in both texts, spaces and hyphens in the number. The error lists
    /// every malformed field.
    pub fn parse(kind: DocumentKind, issuer: &str, number: &str) -> Result<Self, Vec<DocumentFieldError>> {
        let document = Self {
            kind,
            issuer: issuer.trim().to_ascii_uppercase(),
            number: number.replace([' ', '-'], "").to_ascii_uppercase(),
            expiry_date: None,
            cpr_number_shown: CprNumberShown::Unstated,
        };
        let errors: Vec<_> = (!is_issuer(&document.issuer))
            .then_some(DocumentFieldError::Issuer)
            .into_iter()
            .chain(document.expected_number_form().map(DocumentFieldError::Number))
            .collect();
        if errors.is_empty() { Ok(document) } else { Err(errors) }
    }

    /// The form that the number should have; `None` if it has this form.
    fn expected_number_form(&self) -> Option<&'static str> {
        let (lengths, digits_only, form) = match (self.kind, self.issuer.as_str()) {
            (DocumentKind::Passport, "DNK") => (9..=9, false, "9 letters or digits"),
            (DocumentKind::DrivingLicence, "DNK") => (8..=8, true, "8 digits"),
            _ => (5..=20, false, "5 to 20 letters or digits"),
        };
        let is_allowed = |byte: u8| byte.is_ascii_digit() || (byte.is_ascii_uppercase() && !digits_only);
        (!lengths.contains(&self.number.len()) || !self.number.bytes().all(is_allowed)).then_some(form)
    }
}

/// A document as its register records it.
#[derive(Clone, Debug)]
pub struct RegisteredDocument {
    /// The holder's CPR number, if the register knows it.
    pub holder_cpr_number: Option<CprNumber>,
    /// The holder's MitID UUID, if the register knows it.
    pub holder_mitid_uuid: Option<MitidUuid>,
    /// The document is not reported as lost, stolen or revoked.
    pub good_standing: bool,
    /// The last day on which the document is valid.
    pub expiry_date: NaiveDate,
    /// The expiry that is printed on the document, if the register knows that it was extended since.
    pub printed_expiry_date: Option<NaiveDate>,
    pub provisional: bool,
    pub cpr_number_shown: CprNumberShown,
}

/// A further Danish document, presented together with one that does not suffice alone (R19).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SupportingDocument {
    /// Danish health card (sundhedskort).
    HealthCard,
    /// Residence certificate (bopælsattest).
    ResidenceCertificate,
    /// Special health card (særligt sundhedskort).
    SpecialHealthCard,
    /// Personal certificate (personattest).
    PersonalCertificate,
    /// Birth certificate (fødselsattest).
    BirthCertificate,
    /// Baptism certificate (dåbsattest).
    BaptismCertificate,
    MunicipalIdentityCard,
}

impl RegisteredDocument {
    /// Whether the document belongs to the person. If both have a MitID UUID, it alone decides, because a CPR number can
    /// change.
    pub(super) fn belongs_to(&self, person: &Person) -> bool {
        match (self.holder_mitid_uuid, &person.mitid_account) {
            (Some(holder), Some(account)) => holder == account.mitid_uuid,
            _ => self.holder_cpr_number.is_some() && self.holder_cpr_number == person.cpr_number,
        }
    }

    /// Whether the document can show that expiry. A register that does not know what is printed may know an extension that the
    /// document does not show. So the document may show an earlier expiry, but not a later one.
    pub(super) fn can_show(&self, expiry_date: NaiveDate) -> bool {
        match self.printed_expiry_date {
            Some(printed) => expiry_date == printed || expiry_date == self.expiry_date,
            None => expiry_date <= self.expiry_date,
        }
    }

    /// Whether the document is valid on that day, which may be its last.
    pub(super) fn is_valid_on(&self, day: NaiveDate) -> bool {
        self.good_standing && !self.provisional && day <= self.expiry_date
    }
}

#[cfg(test)]
mod tests;

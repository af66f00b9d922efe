//! Identity documents (R15, R19).

use std::fmt;

use chrono::NaiveDate;

use super::cpr::CprNumber;
use super::person::{MitidUuid, Person};

/// Kinds of identity document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DocumentKind {
    /// Passport.
    Passport,
    /// Driving licence.
    DrivingLicence,
    /// National identity card: at the counter only.
    IdentityCard,
    /// Residence permit with photo: at the counter only.
    ResidencePermit,
}

/// A document as a person presents it. The number is masked in `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Document {
    /// What it is.
    pub kind: DocumentKind,
    /// Issuer, ISO 3166-1 alpha-3.
    pub issuer: String,
    /// The number: upper-case letters and digits, no spaces.
    pub number: String,
}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Document").field("kind", &self.kind).field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

/// What is wrong with a document's field, as the caller is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DocumentFieldError {
    /// The issuer is no country code.
    #[error("must be a country code of three letters (ISO 3166-1 alpha-3), such as DNK")]
    Issuer,
    /// The number has not the form of its kind and issuer.
    #[error("must be {0}")]
    Number(&'static str),
}

impl Document {
    /// Parses a document. In the number spaces and hyphens are ignored, in both texts small letters are forgiven.
    /// All that is wrong is told at once.
    pub fn parse(kind: DocumentKind, issuer: &str, number: &str) -> Result<Self, Vec<DocumentFieldError>> {
        let document = Self {
            kind,
            issuer: issuer.trim().to_ascii_uppercase(),
            number: number.replace([' ', '-'], "").to_ascii_uppercase(),
        };
        let issuer = &document.issuer;
        let issuer_fits = issuer.len() == 3 && issuer.bytes().all(|byte| byte.is_ascii_uppercase());
        let errors: Vec<_> = (!issuer_fits)
            .then_some(DocumentFieldError::Issuer)
            .into_iter()
            .chain(document.number_error().map(DocumentFieldError::Number))
            .collect();
        if errors.is_empty() { Ok(document) } else { Err(errors) }
    }

    /// The form that the number should have, if it has another.
    fn number_error(&self) -> Option<&'static str> {
        let (lengths, digits_only, form) = match (self.kind, self.issuer.as_str()) {
            (DocumentKind::Passport, "DNK") => (9..=9, false, "9 letters or digits"),
            (DocumentKind::DrivingLicence, "DNK") => (8..=8, true, "8 digits"),
            _ => (5..=20, false, "5 to 20 letters or digits"),
        };
        let allowed = |byte: u8| byte.is_ascii_digit() || (byte.is_ascii_uppercase() && !digits_only);
        (!lengths.contains(&self.number.len()) || !self.number.bytes().all(allowed)).then_some(form)
    }
}

/// A document as its register knows it.
#[derive(Clone, Debug)]
pub struct RegisteredDocument {
    /// The holder's CPR number, when known.
    pub holder_cpr_number: Option<CprNumber>,
    /// The holder's MitID UUID, when known.
    pub holder_mitid_uuid: Option<MitidUuid>,
    /// Neither lost, stolen nor revoked.
    pub good_standing: bool,
    /// Last day of validity.
    pub expiry_date: NaiveDate,
    /// Temporary or provisional.
    pub provisional: bool,
}

/// A Danish document that supports a foreign one (R19).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SupportingDocument {
    /// Danish health card (sundhedskort).
    HealthCard,
    /// Residence certificate (bopælsattest).
    ResidenceCertificate,
}

/// Why a document does not serve. In the order in which it is found out, so that somebody else's document tells nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DocumentProblem {
    /// Not of a kind or from an issuer that serves here, or a foreign one without a supporting document.
    NotAccepted,
    /// Its register does not know it.
    NotFound,
    /// It is not this person's.
    NotTheirs,
    /// Expired, lost, stolen, revoked or provisional.
    NotValid,
}

/// R15: judges a document by what its register knows. It is valid through its last day; `today` is Copenhagen's date,
/// `issuers` are those of `rules.document_issuers`.
pub fn judge_document(
    document: &Document,
    registered: Option<&RegisteredDocument>,
    person: &Person,
    issuers: &[String],
    today: NaiveDate,
) -> Result<(), DocumentProblem> {
    let right_kind = matches!(document.kind, DocumentKind::Passport | DocumentKind::DrivingLicence);
    if !right_kind || !issuers.contains(&document.issuer) {
        return Err(DocumentProblem::NotAccepted);
    }
    judge_registered(registered.ok_or(DocumentProblem::NotFound)?, person, today)
}

/// R19: whether a document of this kind and issuer serves at the counter at all: any from our issuers, of foreign ones a
/// passport or identity card with a supporting document.
#[must_use]
pub fn is_accepted_at_counter(document: &Document, supporting: Option<SupportingDocument>, issuers: &[String]) -> bool {
    let known_abroad = matches!(document.kind, DocumentKind::Passport | DocumentKind::IdentityCard);
    issuers.contains(&document.issuer) || (known_abroad && supporting.is_some())
}

/// R19: judges a document in a clerk's hand. Our registers need not know a foreign document, but what they know of it
/// counts.
pub fn judge_counter_document(
    document: &Document,
    supporting: Option<SupportingDocument>,
    registered: Option<&RegisteredDocument>,
    person: &Person,
    issuers: &[String],
    today: NaiveDate,
) -> Result<(), DocumentProblem> {
    match registered {
        _ if !is_accepted_at_counter(document, supporting, issuers) => Err(DocumentProblem::NotAccepted),
        Some(registered) => judge_registered(registered, person, today),
        None if !issuers.contains(&document.issuer) => Ok(()),
        None => Err(DocumentProblem::NotFound),
    }
}

fn judge_registered(registered: &RegisteredDocument, person: &Person, today: NaiveDate) -> Result<(), DocumentProblem> {
    if !registered.belongs_to(person) {
        Err(DocumentProblem::NotTheirs)
    } else if !registered.good_standing || registered.provisional || registered.expiry_date < today {
        Err(DocumentProblem::NotValid)
    } else {
        Ok(())
    }
}

impl RegisteredDocument {
    /// Whether it is the person's. The MitID UUID decides where both know it: a CPR number can change.
    fn belongs_to(&self, person: &Person) -> bool {
        match (self.holder_mitid_uuid, &person.mitid_account) {
            (Some(holder), Some(account)) => holder == account.mitid_uuid,
            _ => self.holder_cpr_number.is_some() && self.holder_cpr_number == person.cpr_number,
        }
    }
}

#[cfg(test)]
mod tests;

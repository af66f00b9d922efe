//! Identity documents: their form, and which of them are accepted (R15, R19; for witnesses R20).

use std::fmt;

use chrono::NaiveDate;

use super::cpr::CprNumber;
use super::document_problem::DocumentProblem;
use super::person::{MitidUuid, Person};

/// A kind of identity document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DocumentKind {
    Passport,
    DrivingLicence,
    /// National identity card; accepted at the counter only.
    IdentityCard,
    /// Residence permit with photo; accepted at the counter only.
    ResidencePermit,
    /// Identity card of the Foreign Ministry; accepted at the counter only.
    ForeignMinistryCard,
    /// Identity card of a municipality; accepted at the counter only.
    MunicipalIdentityCard,
}

/// Whether a document shows its holder's CPR number, as the clerk has seen it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CprNumberShown {
    /// The clerk did not say.
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
    /// The issuer is not a country code.
    #[error("must be a country code of three letters (ISO 3166-1 alpha-3), such as DNK")]
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
        let issuer = &document.issuer;
        let is_issuer_valid = issuer.len() == 3 && issuer.bytes().all(|byte| byte.is_ascii_uppercase());
        let errors: Vec<_> = (!is_issuer_valid)
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
    pub provisional: bool,
}

/// A Danish document that a person presents together with a foreign one (R19).
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

/// R15: checks a passport or driving licence against its register. Used for a person on the phone and for a witness (R20).
///
/// `registered`: what the register knows of the document. `issuers`: the setting `verification.document_issuers`. `today`:
/// the date in Copenhagen; a document is valid on its last day.
pub fn judge_document(
    document: &Document,
    registered: Option<&RegisteredDocument>,
    person: &Person,
    issuers: &[String],
    today: NaiveDate,
) -> Result<(), DocumentProblem> {
    let is_accepted_kind = matches!(document.kind, DocumentKind::Passport | DocumentKind::DrivingLicence);
    if !is_accepted_kind || !issuers.contains(&document.issuer) {
        return Err(DocumentProblem::NotAccepted);
    }
    judge_registered_document(registered.ok_or(DocumentProblem::NotFound)?, person, today)
}

/// R19: whether the counter accepts a document of this kind and issuer: every kind from `issuers`, and a foreign passport or
/// identity card together with a supporting document.
#[must_use]
pub fn is_accepted_at_counter(document: &Document, supporting: Option<SupportingDocument>, issuers: &[String]) -> bool {
    let is_accepted_foreign_kind = matches!(document.kind, DocumentKind::Passport | DocumentKind::IdentityCard);
    issuers.contains(&document.issuer) || (is_accepted_foreign_kind && supporting.is_some())
}

/// R19: checks a document that a clerk has in hand. A foreign document need not be in the register; if it is, what the
/// register knows of it decides. The other arguments are those of [`judge_document`].
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
        Some(registered) => judge_registered_document(registered, person, today),
        None if !issuers.contains(&document.issuer) => Ok(()),
        None => Err(DocumentProblem::NotFound),
    }
}

/// Checks owner and validity of a document that the register knows.
fn judge_registered_document(
    registered: &RegisteredDocument,
    person: &Person,
    today: NaiveDate,
) -> Result<(), DocumentProblem> {
    if !registered.belongs_to(person) {
        Err(DocumentProblem::NotTheirs)
    } else if !registered.good_standing || registered.provisional || registered.expiry_date < today {
        Err(DocumentProblem::NotValid)
    } else {
        Ok(())
    }
}

impl RegisteredDocument {
    /// Whether the document belongs to the person. If both have a MitID UUID, it alone decides, because a CPR number can
    /// change.
    fn belongs_to(&self, person: &Person) -> bool {
        match (self.holder_mitid_uuid, &person.mitid_account) {
            (Some(holder), Some(account)) => holder == account.mitid_uuid,
            _ => self.holder_cpr_number.is_some() && self.holder_cpr_number == person.cpr_number,
        }
    }
}

#[cfg(test)]
mod tests;

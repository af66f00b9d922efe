//! Identity documents (R15, R19).

use std::fmt;

use chrono::NaiveDate;

use super::cpr::CprNumber;
use super::person::MitidUuid;

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

//! Counter: what a clerk has seen at a booked visit (R19, R20).

use secrecy::SecretString;

use super::web::WebLoginEvidence;
use crate::domain::document::{Document, SupportingDocument};
use crate::domain::mrz::Mrz;
use crate::domain::person::PersonReference;

/// What a clerk has seen at a booked visit.
pub struct CounterIdentification {
    /// The person at the counter.
    pub person: PersonReference,
    /// The document in the clerk's hand.
    pub document: Document,
    /// The document's machine readable zone, if it was scanned.
    pub mrz: Option<Mrz>,
    /// A foreign document needs one of these.
    pub supporting_document: Option<SupportingDocument>,
    /// How the identity is confirmed beside the document.
    pub confirmation: Confirmation,
    /// The ID token of the clerk.
    pub agent_token: SecretString,
    /// The office.
    pub office_id: String,
    /// The booked appointment.
    pub appointment_reference: String,
}

impl CounterIdentification {
    /// The witness, if one confirms the identity.
    pub(super) fn witness(&self) -> Option<&WitnessEvidence> {
        match &self.confirmation {
            Confirmation::Witness(witness) => Some(witness),
            Confirmation::Questions => None,
        }
    }
}

/// How the identity is confirmed beside the document.
pub enum Confirmation {
    /// By questions.
    Questions,
    /// By a witness with a document of their own.
    Witness(Box<WitnessEvidence>),
}

/// What a clerk has seen of a witness. It holds secrets, so it has no `Debug`.
pub struct WitnessEvidence {
    pub person: PersonReference,
    /// The witness's own document.
    pub document: Document,
    /// The witness's own login. `None` only where the settings allow it.
    pub login: Option<WebLoginEvidence>,
}

//! The file of known persons and documents: what a register must answer.

use serde::Deserialize;

use crate::proto::identityregister::v1 as proto;

/// What the register is known to hold. `docs/register.md` describes each field.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub struct KnownData {
    pub unknown_cpr_number: Option<String>,
    pub unknown_mitid_uuid: Option<String>,
    #[serde(rename = "person")]
    pub persons: Vec<KnownPerson>,
    #[serde(rename = "document")]
    pub documents: Vec<KnownDocument>,
    #[serde(rename = "unknown_document")]
    pub unknown_documents: Vec<DocumentReference>,
}

/// A person. What is left out is not compared.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KnownPerson {
    /// Names the person in the report. It is printed, so it must tell nothing of a real person.
    pub name: String,
    pub cpr_number: Option<String>,
    pub mitid_uuid: Option<String>,
    pub cpr_status: Option<String>,
    pub successor_cpr_number: Option<String>,
    pub birth_date: Option<String>,
    pub birth_date_certain: Option<bool>,
    pub protected: Option<bool>,
    pub credit_warning: Option<bool>,
    pub has_mitid: Option<bool>,
    pub mitid_active: Option<bool>,
    pub language: Option<String>,
    /// In any form. Empty: the person has none.
    pub mobile_number: Option<String>,
    #[serde(default, rename = "fact")]
    pub facts: Vec<KnownFact>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KnownFact {
    /// As in the contract, without `KIND_` and in small letters.
    pub kind: String,
    /// A value that must be accepted.
    pub value: String,
    #[serde(default = "is_certain")]
    pub certain: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DocumentReference {
    pub name: String,
    /// As in the contract, without `DOCUMENT_KIND_` and in small letters.
    pub kind: String,
    pub issuer: String,
    pub number: String,
}

/// A document. What is left out is not compared.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KnownDocument {
    pub name: String,
    pub kind: String,
    pub issuer: String,
    pub number: String,
    /// The holder's CPR number or MitID UUID.
    pub holder: Option<String>,
    /// As in the contract, without `STATE_` and in small letters.
    pub state: Option<String>,
    pub expiry_date: Option<String>,
    pub provisional: Option<bool>,
}

fn is_certain() -> bool {
    true
}

impl KnownFact {
    pub(super) fn kind(&self) -> Option<proto::fact::Kind> {
        proto::fact::Kind::from_str_name(&format!("KIND_{}", self.kind.to_uppercase()))
    }
}

impl KnownDocument {
    pub(super) fn request(&self) -> Option<proto::LookUpDocumentRequest> {
        make_document_request(&self.kind, &self.issuer, &self.number)
    }

    pub(super) fn state(&self) -> Option<proto::document::State> {
        proto::document::State::from_str_name(&format!("STATE_{}", self.state.as_ref()?.to_uppercase()))
    }
}

impl DocumentReference {
    pub(super) fn request(&self) -> Option<proto::LookUpDocumentRequest> {
        make_document_request(&self.kind, &self.issuer, &self.number)
    }
}

fn make_document_request(kind: &str, issuer: &str, number: &str) -> Option<proto::LookUpDocumentRequest> {
    let kind = proto::DocumentKind::from_str_name(&format!("DOCUMENT_KIND_{}", kind.to_uppercase()))?;
    Some(proto::LookUpDocumentRequest { kind: kind.into(), issuer: issuer.to_owned(), number: number.to_owned() })
}

impl KnownData {
    /// Refuses a file that could not be checked against any register. Names the entry, not its values.
    pub fn check(&self) -> Result<(), String> {
        for person in &self.persons {
            let name = &person.name;
            if person.cpr_number.is_none() && person.mitid_uuid.is_none() {
                return Err(format!("person {name}: needs cpr_number or mitid_uuid"));
            }
            if let Some(fact) = person.facts.iter().find(|fact| fact.kind().is_none()) {
                return Err(format!("person {name}: the contract has no fact of kind {:?}", fact.kind));
            }
        }
        for document in &self.documents {
            let name = &document.name;
            if document.request().is_none() {
                return Err(format!("document {name}: the contract has no document of kind {:?}", document.kind));
            }
            if let Some(state) = document.state.as_ref().filter(|_| document.state().is_none()) {
                return Err(format!("document {name}: the contract has no state {state:?}"));
            }
        }
        match self.unknown_documents.iter().find(|document| document.request().is_none()) {
            Some(unknown) => Err(format!("unknown_document {}: the contract has no such kind", unknown.name)),
            None => Ok(()),
        }
    }
}

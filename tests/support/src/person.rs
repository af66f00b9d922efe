//! A person as `GET /people` describes them.

use serde_json::Value;
use temporary_pin::proto::temporarypin::v1::person_reference::Reference;
use temporary_pin::proto::temporarypin::v1::question::Kind as QuestionKind;
use temporary_pin::proto::temporarypin::v1::{
    Document, PersonReference, SupportingDocument, document, supporting_document,
};

pub struct Person(pub Value);

impl Person {
    pub fn id(&self) -> &str {
        self.0["id"].as_str().unwrap()
    }

    pub fn mobile_number(&self) -> &str {
        self.0["mobile_number"].as_str().unwrap()
    }

    /// References the person by CPR number, or by MitID UUID if there is none.
    pub fn reference(&self) -> PersonReference {
        self.references().swap_remove(0)
    }

    /// All references to the person.
    pub fn references(&self) -> Vec<PersonReference> {
        let text = |field: &str| self.0[field].as_str().map(str::to_owned);
        let all = [text("cpr_number").map(Reference::CprNumber), text("mitid_uuid").map(Reference::MitidUuid)];
        all.into_iter().flatten().map(|reference| PersonReference { reference: Some(reference) }).collect()
    }

    /// The person's first document.
    pub fn document(&self) -> Document {
        let json = &self.0["documents"][0];
        let text = |field: &str| json[field].as_str().unwrap();
        Document {
            kind: document::Kind::from_str_name(text("kind")).unwrap().into(),
            issuer: text("issuer").to_owned(),
            number: text("number").to_owned(),
            expiry_date: text("expiry_date").to_owned(),
            cpr_number_shown: document::CprNumberShown::from_str_name(text("cpr_number_shown")).unwrap().into(),
        }
    }

    /// The machine readable zone of the first document. Empty if it has none.
    pub fn mrz_lines(&self) -> Vec<String> {
        serde_json::from_value(self.0["documents"][0]["mrz_lines"].clone()).unwrap_or_default()
    }

    /// The person's supporting document, or a health card if there is none.
    pub fn supporting_document(&self) -> SupportingDocument {
        let name = self.0["supporting_document"].as_str().unwrap_or("KIND_HEALTH_CARD");
        SupportingDocument { kind: supporting_document::Kind::from_str_name(name).unwrap().into() }
    }

    /// The right answers to questions of that kind.
    pub fn answers(&self, kind: QuestionKind) -> Vec<String> {
        serde_json::from_value(self.0["facts"][kind.as_str_name()].clone()).unwrap_or_default()
    }
}

/// A reference by a CPR number that the register does not know.
pub fn unknown_person() -> PersonReference {
    PersonReference { reference: Some(Reference::CprNumber("010158-5999".into())) }
}

/// A passport that the register does not know.
pub fn unknown_document() -> Document {
    Document {
        kind: document::Kind::Passport.into(),
        issuer: "DNK".into(),
        number: "299999999".into(),
        ..Document::default()
    }
}

//! A person as `GET /people` shows them, with everything that a test needs to act as them.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use temporary_pin::proto::identityregister::v1::fact::Certainty;

use super::mrz;
use super::person::{Document, Person};

impl Person {
    /// The JSON of `GET /people`. Fields that do not apply are null. A document without a machine readable zone has no
    /// `mrz_lines`.
    pub fn to_json(&self) -> Value {
        let account = self.account.as_ref();
        let documents: Vec<Value> = self.documents.iter().map(|document| self.document_json(document)).collect();
        let verification: BTreeMap<_, _> =
            self.expected_verification.iter().map(|(situation, outcome)| (situation, outcome.to_json())).collect();
        json!({
            "id": self.id,
            "name": self.name,
            "story": self.story,
            "cpr_number": self.cpr_number,
            "mitid_uuid": account.map(|account| account.mitid_uuid),
            "mobile_number": self.mobile_number(),
            "language": account.map(|account| account.language),
            "birth_date": self.birth_date,
            "documents": documents,
            "supporting_document": self.supporting_document.map(|kind| kind.as_str_name()),
            "facts": self.right_answers(),
            "expected": self.expected.to_json(),
            "expected_verification": verification,
        })
    }

    /// The right answers per question kind, of facts that the register is sure of.
    fn right_answers(&self) -> BTreeMap<&'static str, Vec<&str>> {
        let mut answers: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for fact in self.facts.iter().filter(|fact| fact.certainty == Certainty::Certain) {
            let values = std::iter::once(fact.value.as_str()).chain(fact.further_values.iter().copied());
            answers.entry(fact.kind.as_str_name()).or_default().extend(values);
        }
        answers
    }

    fn document_json(&self, document: &Document) -> Value {
        let mut json = json!({
            "kind": document.kind.as_str_name(),
            "issuer": document.issuer,
            "number": document.number,
            "expiry_date": document.shown_expiry_date(),
            "cpr_number_shown": document.cpr_number_shown.as_str_name(),
        });
        let lines = mrz::lines(document, self);
        if !lines.is_empty() {
            json["mrz_lines"] = json!(lines);
        }
        json
    }
}

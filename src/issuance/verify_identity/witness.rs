//! Counter: the witness who vouches for the person (R20).

use super::VerifyIdentity;
use crate::domain::calendar;
use crate::domain::document::Document;
use crate::domain::document_acceptance;
use crate::domain::person::{Person, PersonKey, PersonReference};
use crate::domain::witness;
use crate::issuance::Refusal;
use crate::login::Agent;

/// How the identity is confirmed beside the document.
pub enum Confirmation {
    /// By questions.
    Questions,
    /// By a witness with a document of their own.
    Witness(PersonReference, Document),
}

impl VerifyIdentity<'_> {
    /// The witness's pseudonym if the witness may vouch for the person. `None` if not.
    pub(super) async fn judge_witness(
        &self,
        reference: &PersonReference,
        document: &Document,
        person: &Person,
        clerk: &Agent,
    ) -> Result<Option<PersonKey>, Refusal> {
        let (witness, registered) =
            tokio::try_join!(self.register.look_up_person(reference), self.register.look_up_document(document))?;
        let Some(witness) = witness else { return Ok(None) };
        let now = self.call.now;
        let today = calendar::date_in_copenhagen(now);
        let rules = &self.rules.verification;
        let registered = registered.as_ref();
        if document_acceptance::witness_lacks_expiry_date(document, registered, &rules.documents) {
            return Err(Refusal::field(
                "counter_identification.witness.document.expiry_date",
                "is required: the register does not know the document",
            ));
        }
        if document_acceptance::judge_witness_document(document, registered, &witness, &rules.documents, today).is_err()
        {
            return Ok(None);
        }
        let key = self.keys.person_pseudonyms(Some(reference), Some(&witness)).primary();
        Ok(witness::may_witness(&witness, person, clerk.mitid_uuid, rules, &self.rules.eligibility.destinations, now)
            .then_some(key))
    }
}

//! Counter: judges the document in the clerk's hand (R19).

use super::{CounterIdentification, VerifyIdentity};
use crate::domain::calendar;
use crate::domain::document::RegisteredDocument;
use crate::domain::document_acceptance::{self, DocumentInHand};
use crate::domain::document_problem::DocumentProblem;
use crate::domain::mrz::Mrz;
use crate::domain::person::{Person, PersonReference};
use crate::domain::reason::Reason;
use crate::issuance::Refusal;

impl VerifyIdentity<'_> {
    /// Judges the document. The reason tells what is wrong with it, but not whose it is.
    ///
    /// `person`: `None` if the register does not know the person. The reason is then the one that a known person with the same
    /// document would get; another reason would reveal that the person is unknown.
    pub(super) async fn judge_document_in_hand(
        &self,
        evidence: &CounterIdentification,
        registered: Option<&RegisteredDocument>,
        person: Option<&Person>,
    ) -> Result<Result<(), Reason>, Refusal> {
        let rules = &self.rules.verification.documents;
        let today = calendar::date_in_copenhagen(self.call.now);
        let in_hand = DocumentInHand {
            document: &evidence.document,
            mrz: evidence.mrz.as_ref(),
            supporting: evidence.supporting_document,
        };
        if in_hand.lacks_expiry_date(registered, rules, today) {
            return Err(Refusal::field(
                "counter_identification.document.expiry_date",
                "is required: the register does not know the document, and no mrz_lines tell until when it is valid",
            ));
        }
        let judgement = match person {
            None if in_hand.is_accepted(rules) => Err(DocumentProblem::NotTheirs),
            None => Err(DocumentProblem::NotAccepted),
            Some(person) => {
                match document_acceptance::judge_counter_document(&in_hand, registered, person, rules, today) {
                    Ok(()) if !self.is_zone_of(evidence.mrz.as_ref(), person).await? => Err(DocumentProblem::Disagrees),
                    judgement => judgement,
                }
            }
        };
        Ok(judgement.map_err(|problem| problem.reason(self.call.channel)))
    }

    /// Whether the zone shows no CPR number, or one that is or was the person's. If it was replaced, the register names the person
    /// who has its successor.
    async fn is_zone_of(&self, mrz: Option<&Mrz>, person: &Person) -> Result<bool, Refusal> {
        let Some(number) = mrz.and_then(Mrz::cpr_number) else { return Ok(true) };
        if person.cpr_number.as_ref() == Some(&number) {
            return Ok(true);
        }
        let holder = self.register.look_up_person(&PersonReference::Cpr(number)).await?;
        Ok(holder.is_some_and(|holder| holder.is_same_as(person)))
    }
}

//! Counter: a document in the clerk's hand, and questions or a witness (R19, R20).

use secrecy::SecretString;

use super::run_with_document::{DocumentRun, References, RunResult, StartedRun};
use super::{Confirmation, Verification, VerifyIdentity};
use crate::domain::assurance::AssuranceLevel;
use crate::domain::document::{Document, DocumentKind, SupportingDocument};
use crate::domain::mrz::Mrz;
use crate::domain::person::{Person, PersonReference};
use crate::domain::reason::Reason;
use crate::issuance::Refusal;

/// The issuers whose passports have a CPR number behind them: Denmark, Greenland and the Faroe Islands.
const ISSUERS_OF_HIGH_ASSURANCE: [&str; 3] = ["DNK", "GRL", "FRO"];

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

impl VerifyIdentity<'_> {
    pub(super) async fn identify_at_counter(&self, evidence: &CounterIdentification) -> Result<Verification, Refusal> {
        let by_witness = matches!(evidence.confirmation, Confirmation::Witness(..));
        let started = self.start_run(&evidence.agent_token, &evidence.person, &evidence.document, by_witness).await?;
        let result = self.judge_document_and_person(evidence, &started).await;
        let references = References {
            office_id: Some(evidence.office_id.clone()),
            appointment_reference: Some(evidence.appointment_reference.clone()),
            ..References::default()
        };
        let run = DocumentRun {
            id: started.id,
            person_key: started.person_key,
            agent_key: started.agent_key,
            by_witness,
            references,
            turn: started.turn,
        };
        self.conclude_run(run, result).await
    }

    async fn judge_document_and_person(
        &self,
        evidence: &CounterIdentification,
        started: &StartedRun,
    ) -> Result<RunResult, Refusal> {
        let person = started.person.as_ref();
        let judgement = self.judge_document_in_hand(evidence, started.registered.as_ref(), person).await?;
        match (judgement, person) {
            (Err(reason), _) => Ok(RunResult::Rejected(reason)),
            (Ok(()), Some(person)) => self.confirm_identity(evidence, started, person).await,
            (Ok(()), None) => Err(Refusal::Internal("a document of an unknown person was accepted".into())),
        }
    }

    async fn confirm_identity(
        &self,
        evidence: &CounterIdentification,
        started: &StartedRun,
        person: &Person,
    ) -> Result<RunResult, Refusal> {
        match &evidence.confirmation {
            Confirmation::Questions => self.draw_questions(started.person_key, person).await,
            Confirmation::Witness(reference, document) => {
                let Some(witness) = self.judge_witness(reference, document, person, &started.agent).await? else {
                    return Ok(RunResult::Rejected(Reason::WitnessNotAccepted));
                };
                let person = self.check_eligible(person).await?;
                Ok(RunResult::Verified { person, assurance: assurance_of(&evidence.document), witness })
            }
        }
    }
}

/// High for a passport with a CPR number behind it, seen in person. Substantial for every other document (mitid.dk,
/// "Legitimation and documentation").
fn assurance_of(document: &Document) -> AssuranceLevel {
    if document.kind == DocumentKind::Passport && ISSUERS_OF_HIGH_ASSURANCE.contains(&document.issuer.as_str()) {
        AssuranceLevel::High
    } else {
        AssuranceLevel::Substantial
    }
}

//! Phone: a document number, then questions (R15, R16).

use secrecy::SecretString;

use super::run_with_document::{DocumentRun, References, RunResult, StartedRun};
use super::{Verification, VerifyIdentity};
use crate::domain::calendar;
use crate::domain::document::Document;
use crate::domain::document_acceptance;
use crate::domain::person::PersonReference;
use crate::domain::reason::Reason;
use crate::issuance::Refusal;

/// What the person tells a support agent.
pub struct PhoneIdentification {
    /// The person that the caller on the phone claims to be.
    pub person: PersonReference,
    /// The passport or driving licence that the person reads out.
    pub document: Document,
    /// The ID token of the agent.
    pub agent_token: SecretString,
    /// The case in the support system.
    pub case_reference: String,
}

impl VerifyIdentity<'_> {
    /// An unknown person and the document of another person get the same answer, after the same work.
    pub(super) async fn identify_by_phone(&self, evidence: &PhoneIdentification) -> Result<Verification, Refusal> {
        let StartedRun { id, agent_key, person_key, person, registered, turn, .. } =
            self.start_run(&evidence.agent_token, &evidence.person, &evidence.document, false).await?;
        let today = calendar::date_in_copenhagen(self.call.now);
        let list = &self.rules.verification.documents.phone;
        let judge = |person| {
            document_acceptance::judge_phone_document(&evidence.document, registered.as_ref(), person, list, today)
                .map_err(|problem| problem.reason(self.call.channel))
        };
        let result = match &person {
            None => Ok(RunResult::Rejected(Reason::IdentityNotConfirmed)),
            Some(person) => match judge(person) {
                Err(reason) => Ok(RunResult::Rejected(reason)),
                Ok(()) => self.draw_questions(person_key, person).await,
            },
        };
        let references = References { case_reference: Some(evidence.case_reference.clone()), ..References::default() };
        let run = DocumentRun { id, person_key, agent_key, by_witness: false, references, turn };
        self.conclude_run(run, result).await
    }
}

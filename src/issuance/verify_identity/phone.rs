//! Phone: a document number, then questions (R15, R16).

use secrecy::SecretString;

use super::run::{Begun, References, Run, Step};
use super::{Issuance, Verification};
use crate::domain::calendar;
use crate::domain::document::{self, Document};
use crate::domain::language::Language;
use crate::domain::person::PersonReference;
use crate::domain::reason::Reason;
use crate::issuance::{CallContext, Refusal};

/// What the person tells a support agent.
pub struct PhoneIdentification {
    /// Whom the person claims to be.
    pub person: PersonReference,
    /// The passport or driving licence read out.
    pub document: Document,
    /// ID token of the agent.
    pub agent_token: SecretString,
    /// The case in the support system.
    pub case_reference: String,
}

impl Issuance {
    /// An unknown person and a document that is not theirs get one answer, after the same work.
    pub(super) async fn phone_identification(
        &self,
        call: &CallContext,
        evidence: &PhoneIdentification,
        language: Option<Language>,
    ) -> Result<Verification, Refusal> {
        let Begun { id, agent_key, key, person, registered, .. } =
            self.begin(call, &evidence.agent_token, &evidence.person, &evidence.document).await?;
        let today = calendar::date_in_copenhagen(call.now);
        let issuers = &self.rules.verification.document_issuers;
        let step = match &person {
            Some(person)
                if document::judge_document(&evidence.document, registered.as_ref(), person, issuers, today)
                    .is_ok() =>
            {
                self.ask(call, key, person, language).await
            }
            _ => Ok(Step::Rejected(Reason::IdentityNotConfirmed)),
        };
        let references = References { case_reference: Some(evidence.case_reference.clone()), ..References::default() };
        let run = Run { id, person: key, agent: agent_key, by_witness: false, witness: None, references };
        self.conclude(call, run, step).await
    }
}

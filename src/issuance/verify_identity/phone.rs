//! Phone: a document number, then questions (R15, R16).

use secrecy::SecretString;

use super::run::{References, Run, Step};
use super::{Issuance, Verification};
use crate::domain::calendar;
use crate::domain::document::{self, Document};
use crate::domain::language::Language;
use crate::domain::person::PersonReference;
use crate::domain::reason::Reason;
use crate::issuance::{Call, Refusal};
use crate::random;

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
        call: &Call,
        evidence: &PhoneIdentification,
        language: Option<Language>,
    ) -> Result<Verification, Refusal> {
        let id = random::time_ordered_uuid(call.now, &mut random::secure());
        self.admit_caller(&call.caller, call.now).await?;
        let (support_agent, agent) = self.agent(&evidence.agent_token, call.now).await?;
        self.admit_agent(call, agent, id).await?;
        let (person, registered) = tokio::try_join!(
            self.register.look_up_person(&evidence.person),
            self.register.look_up_document(&evidence.document)
        )?;

        person.as_ref().map_or(Ok(()), |person| Self::not_oneself(&support_agent, person))?;
        let key = self.person_key(&evidence.person, person.as_ref());
        self.admit(&[self.failed_verification(key, id)], call.now).await?;
        let today = calendar::date_in_copenhagen(call.now);
        let issuers = &self.rules.verification.document_issuers;
        let step = match &person {
            Some(person)
                if document::judge(&evidence.document, registered.as_ref(), person, issuers, today).is_ok() =>
            {
                self.ask(call, key, person, language).await
            }
            _ => Ok(Step::Rejected(Reason::IdentityNotConfirmed)),
        };
        let references = References { case_reference: Some(evidence.case_reference.clone()), ..References::default() };
        let run = Run { id, person: key, agent, by_witness: false, witness: None, references };
        self.conclude(call, run, step).await
    }
}

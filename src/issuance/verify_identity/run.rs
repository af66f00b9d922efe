//! One run of VerifyIdentity that begins with a document: how it is counted, recorded and answered.

use secrecy::SecretString;
use uuid::Uuid;

use super::super::verification_id::VerificationId;
use super::super::{CallContext, Issuance, Refusal};
use super::Verification;
use crate::domain::assurance::AssuranceLevel;
use crate::domain::document::{Document, RegisteredDocument};
use crate::domain::fact::FactKind;
use crate::domain::language::Language;
use crate::domain::person::{AgentKey, MitidUuid, MobileKey, Person, PersonKey, PersonReference};
use crate::domain::reason::{Denial, Reason};
use crate::login::Agent;
use crate::random;
use crate::store::verifying::verifications::{self, Method, NewVerification, RecordOutcome, VerificationState};

/// A run that has begun: who asks, and what the register says.
pub(super) struct Begun {
    /// The row in `verifications`.
    pub id: Uuid,
    /// The agent.
    pub agent: Agent,
    /// The agent's pseudonym.
    pub agent_key: AgentKey,
    /// The person, or who they claim to be.
    pub key: PersonKey,
    /// What the register says of the person.
    pub person: Option<Person>,
    /// What it says of the document.
    pub registered: Option<RegisteredDocument>,
}

/// Who is verified, and how.
pub(super) struct Run {
    /// The row in `verifications`.
    pub id: Uuid,
    /// The person, or who they claim to be.
    pub person: PersonKey,
    /// The agent.
    pub agent: AgentKey,
    /// Whether a witness is to confirm the identity, rather than questions.
    pub by_witness: bool,
    /// The witness, once judged fit.
    pub witness: Option<PersonKey>,
    /// Where the paper is.
    pub references: References,
}

/// References into the systems of support and counter.
#[derive(Clone, Default)]
pub(super) struct References {
    pub case_reference: Option<String>,
    pub office_id: Option<String>,
    pub appointment_reference: Option<String>,
}

/// A person who may have a PIN, and the number it would go to.
#[derive(Clone, Copy)]
pub(super) struct Subject {
    pub mitid_uuid: MitidUuid,
    pub mobile: MobileKey,
}

/// What the run has come to.
pub(super) enum Step {
    Rejected(Reason),
    Verified { subject: Subject, assurance: AssuranceLevel },
    Ask { subject: Subject, questions: Vec<FactKind>, language: Language },
}

impl Issuance {
    /// Begins a run: proves and counts the agent, looks up person and document side by side whatever comes of it, and spends
    /// one failed verification, which [`Self::conclude`] gives back.
    pub(super) async fn begin(
        &self,
        call: &CallContext,
        agent_token: &SecretString,
        reference: &PersonReference,
        document: &Document,
    ) -> Result<Begun, Refusal> {
        let id = random::time_ordered_uuid(call.now, &mut random::secure());
        self.admit_caller(&call.caller, call.now).await?;
        let (agent, agent_key) = self.agent(agent_token, call.now).await?;
        self.admit_agent(call, agent_key, id).await?;
        let (person, registered) =
            tokio::try_join!(self.register.look_up_person(reference), self.register.look_up_document(document))?;

        person.as_ref().map_or(Ok(()), |person| Self::not_oneself(&agent, person))?;
        let key = self.person_key(reference, person.as_ref());
        self.admit(&[self.failed_verification(key, id)], call.now).await?;
        Ok(Begun { id, agent, agent_key, key, person, registered })
    }

    /// Records what the run has come to and words the answer.
    ///
    /// One failed verification was spent when the run began. It is given back when the run verifies the person or breaks
    /// off; a run with questions gives it back when they are answered well (R18).
    pub(super) async fn conclude(
        &self,
        call: &CallContext,
        run: Run,
        step: Result<Step, Refusal>,
    ) -> Result<Verification, Refusal> {
        let result = match step {
            // Nobody would get the answer, so nothing is recorded that could count against the person.
            Ok(_) if call.gone.is_cancelled() => Err(Refusal::Abandoned),
            Ok(step) => self.record(call, &run, step).await,
            Err(refusal) => Err(refusal),
        };
        if matches!(result, Ok(Verification::Verified { .. }) | Err(_)) {
            self.refund(&[self.failed_verification(run.person, run.id)], call.now).await;
        }
        result
    }

    async fn record(&self, call: &CallContext, run: &Run, step: Step) -> Result<Verification, Refusal> {
        let row = NewVerification {
            id: run.id,
            person: run.person,
            channel: call.channel,
            caller: &call.caller,
            agent: Some(run.agent),
            method: if run.by_witness { Method::Witness } else { Method::Questions },
            state: match &step {
                Step::Rejected(reason) => VerificationState::Rejected(*reason),
                Step::Verified { assurance, .. } => VerificationState::Verified(*assurance),
                Step::Ask { .. } => VerificationState::Pending,
            },
            question_kinds: match &step {
                Step::Ask { questions, .. } => questions,
                Step::Rejected(_) | Step::Verified { .. } => &[],
            },
            witness: run.witness,
            login_nonce_digest: None,
            case_reference: run.references.case_reference.as_deref(),
            office_id: run.references.office_id.as_deref(),
            appointment_reference: run.references.appointment_reference.as_deref(),
            now: call.now,
            expire_time: call.now + self.rules.verification.lifetime,
        };
        match verifications::record(&self.store, &row, &self.verification_limits()).await? {
            RecordOutcome::Recorded => {}
            RecordOutcome::Limited { until } => {
                return Err(Refusal::Limited(Denial::until(Reason::VerificationLimit, until)));
            }
            RecordOutcome::WitnessUsed => {
                let run = Run { witness: None, references: run.references.clone(), ..*run };
                return Box::pin(self.record(call, &run, Step::Rejected(Reason::WitnessNotAccepted))).await;
            }
            RecordOutcome::NonceUsed => return Ok(Verification::Rejected(Reason::LoginNotAccepted)),
        }
        let expire_time = row.expire_time;
        Ok(match step {
            Step::Rejected(reason) => Verification::Rejected(reason),
            Step::Verified { subject, assurance } => {
                Verification::Verified { id: self.id(call, run, subject), assurance, expire_time, hold: None }
            }
            Step::Ask { subject, questions, language } => {
                Verification::QuestionsPending { id: self.id(call, run, subject), questions, language, expire_time }
            }
        })
    }

    fn id(&self, call: &CallContext, run: &Run, subject: Subject) -> String {
        let id = VerificationId {
            verification: run.id,
            person: subject.mitid_uuid,
            channel: call.channel,
            create_time: call.now,
            mobile: subject.mobile,
            agent: Some(run.agent),
        };
        id.seal(&self.keys, &call.caller)
    }
}

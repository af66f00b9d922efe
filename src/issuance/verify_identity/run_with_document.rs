//! A verification that begins with a document: how it is counted, recorded and answered.

use secrecy::SecretString;
use uuid::Uuid;

use super::agent::refuse_self_service;
use super::eligibility::EligiblePerson;
use super::witness::AcceptedWitness;
use super::{Verification, VerifyIdentity};
use crate::domain::assurance::AssuranceLevel;
use crate::domain::document::{Document, RegisteredDocument};
use crate::domain::fact::FactKind;
use crate::domain::failed_verification::{is_guess, is_limited};
use crate::domain::language::Language;
use crate::domain::person::{AgentKey, Person, PersonKey, PersonReference};
use crate::domain::reason::{Denial, Reason};
use crate::issuance::Refusal;
use crate::issuance::person_turns::PersonTurn;
use crate::issuance::verification_id::VerificationId;
use crate::login::Agent;
use crate::random;
use crate::store::verifying::verifications::{
    self, Method, NewVerification, RecordOutcome, VerificationLimits, VerificationState,
};

/// A run that has started: the agent, and what the register knows.
pub(super) struct StartedRun {
    /// The row in `verifications`.
    pub id: Uuid,
    pub agent: Agent,
    pub agent_key: AgentKey,
    /// The pseudonym of the person whom the evidence names, whether or not the register knows that person.
    pub person_key: PersonKey,
    /// `None`: the register does not know the person.
    pub person: Option<Person>,
    /// `None`: the register does not know the document.
    pub registered: Option<RegisteredDocument>,
    /// `None`: a witness confirms the identity, so nothing is spent yet.
    pub turn: Option<PersonTurn>,
}

/// A run that is about to be concluded: the person, the agent, how the identity is confirmed, and the references.
pub(super) struct DocumentRun {
    /// The row in `verifications`.
    pub id: Uuid,
    /// The pseudonym of the person whom the evidence names, whether or not the register knows that person.
    pub person_key: PersonKey,
    pub agent_key: AgentKey,
    /// Whether a witness confirms the identity. If not, questions do.
    pub by_witness: bool,
    pub references: References,
    /// Lasts until the run is concluded.
    pub turn: Option<PersonTurn>,
}

/// References into the systems of support and counter, where the case is documented.
#[derive(Default)]
pub(super) struct References {
    pub case_reference: Option<String>,
    pub office_id: Option<String>,
    pub appointment_reference: Option<String>,
}

/// The result of a run.
pub(super) enum RunResult {
    Rejected(Reason),
    Verified { person: EligiblePerson, assurance: AssuranceLevel, witness: Box<AcceptedWitness> },
    Ask { person: EligiblePerson, questions: Vec<FactKind>, language: Language },
}

impl RunResult {
    /// The witness, if one has confirmed the identity.
    fn witness(&self) -> Option<&AcceptedWitness> {
        match self {
            Self::Verified { witness, .. } => Some(witness),
            Self::Rejected(_) | Self::Ask { .. } => None,
        }
    }
}

impl VerifyIdentity<'_> {
    /// Starts a run: verifies the agent, spends the limits of caller and agent, looks up person and document, and spends one
    /// failed verification, which [`Self::conclude_run`] gives back. With a witness nothing is spent: such a run is refused
    /// neither because others have failed nor while they run (R18).
    pub(super) async fn start_run(
        &self,
        agent_token: &SecretString,
        reference: &PersonReference,
        document: &Document,
        by_witness: bool,
    ) -> Result<StartedRun, Refusal> {
        let now = self.call.now;
        let id = random::time_ordered_uuid(now, &mut random::secure());
        self.limiter.spend_caller_call(&self.call.caller, now).await?;
        let (agent, agent_key) = self.verify_agent(agent_token).await?;
        self.limiter.spend_agent_verification(agent_key, id, now).await?;
        // Both look-ups always run, so that latency does not reveal whether the person is known.
        let (person, registered) =
            tokio::try_join!(self.register.look_up_person(reference), self.register.look_up_document(document))?;

        person.as_ref().map_or(Ok(()), |person| refuse_self_service(&agent, person))?;
        let person_key = self.keys.person_pseudonyms(Some(reference), person.as_ref()).primary();
        let turn = if is_limited(self.call.channel, by_witness) {
            match self.spend_failed_verification(person_key, id).await {
                // The caller repeats the call at once. The repeats must not use up the agent's limit (R22).
                Err(Refusal::Busy) => {
                    self.limiter.refund(&[self.limiter.agent_verification(agent_key, id)], now).await;
                    return Err(Refusal::Busy);
                }
                turn => Some(turn?),
            }
        } else {
            None
        };
        Ok(StartedRun { id, agent, agent_key, person_key, person, registered, turn })
    }

    /// Records the result of a run and answers.
    ///
    /// With questions, one failed verification was spent when the run started. It is given back unless the run is a guess; a
    /// run whose questions are asked gives it back when the answers are right (R18). With a witness, a guess is spent now.
    pub(super) async fn conclude_run(
        &self,
        run: DocumentRun,
        result: Result<RunResult, Refusal>,
    ) -> Result<Verification, Refusal> {
        let verification = match result {
            // The caller would not get the answer, so nothing is recorded that could count against the person.
            Ok(_) if self.call.gone.is_cancelled() => Err(Refusal::Abandoned),
            Ok(result) => self.record_run(&run, result).await,
            Err(refusal) => Err(refusal),
        };
        let counts = match &verification {
            Ok(Verification::Rejected(reason)) => is_guess(*reason),
            Ok(Verification::QuestionsPending { .. }) => true,
            Ok(Verification::Verified { .. }) | Err(_) => false,
        };
        let spends = [self.limiter.failed_verification(run.person_key, self.call.channel, run.id)];
        match (&run.turn, counts) {
            (Some(_), false) => self.limiter.refund(&spends, self.call.now).await,
            (None, true) => self.limiter.note_spent(&spends, self.call.now).await,
            (Some(_), true) | (None, false) => {}
        }
        // The next call of the person sees what this one has spent and recorded.
        drop(run.turn);
        verification
    }

    async fn record_run(&self, run: &DocumentRun, result: RunResult) -> Result<Verification, Refusal> {
        let row = self.run_row(run, &result);
        match verifications::record(self.store, &row, &self.record_limits(run, &result)).await? {
            RecordOutcome::Recorded => {}
            RecordOutcome::Limited { until } => {
                return Err(Refusal::Limited(Denial::until(Reason::VerificationLimit, until)));
            }
            RecordOutcome::WitnessRefused => {
                return Box::pin(self.record_run(run, RunResult::Rejected(Reason::WitnessNotAccepted))).await;
            }
            // The login of the witness was used before.
            RecordOutcome::NonceUsed => {
                return Box::pin(self.record_run(run, RunResult::Rejected(Reason::WitnessLoginNotAccepted))).await;
            }
        }
        let expire_time = row.expire_time;
        Ok(match result {
            RunResult::Rejected(reason) => Verification::Rejected(reason),
            RunResult::Verified { person, assurance, .. } => {
                // The SMS to the witness.
                self.dispatcher_wake.notify_one();
                Verification::Verified { id: self.seal_id(run, person), assurance, expire_time, hold: None }
            }
            RunResult::Ask { person, questions, language } => {
                Verification::QuestionsPending { id: self.seal_id(run, person), questions, language, expire_time }
            }
        })
    }

    /// The limits that Postgres checks when it records the run (R18, R20).
    fn record_limits(&self, run: &DocumentRun, result: &RunResult) -> VerificationLimits {
        let is_limited = is_limited(self.call.channel, run.by_witness);
        VerificationLimits {
            failed: is_limited.then_some(self.rules.limits.failed_verifications),
            witness: result.witness().map(|witness| witness.limits),
        }
    }

    fn run_row<'r>(&'r self, run: &'r DocumentRun, result: &'r RunResult) -> NewVerification<'r> {
        let witness = result.witness();
        NewVerification {
            id: run.id,
            person: run.person_key,
            channel: self.call.channel,
            caller: &self.call.caller,
            agent: Some(run.agent_key),
            method: if run.by_witness { Method::Witness } else { Method::Questions },
            state: match result {
                RunResult::Rejected(reason) => VerificationState::Rejected(*reason),
                RunResult::Verified { assurance, .. } => VerificationState::Verified(*assurance),
                RunResult::Ask { .. } => VerificationState::Pending,
            },
            question_kinds: match result {
                RunResult::Ask { questions, .. } => questions,
                RunResult::Rejected(_) | RunResult::Verified { .. } => &[],
            },
            witness: witness.map(|witness| witness.key),
            witness_agent: witness.and_then(|witness| witness.agent),
            witness_notice: witness.map(|witness| &witness.notice),
            is_clerk_unknown: witness.is_some_and(|witness| witness.is_clerk_unknown),
            login_nonce_digest: witness.and_then(|witness| witness.login_nonce_digest),
            case_reference: run.references.case_reference.as_deref(),
            office_id: run.references.office_id.as_deref(),
            appointment_reference: run.references.appointment_reference.as_deref(),
            now: self.call.now,
            expire_time: self.expire_time(),
        }
    }

    fn seal_id(&self, run: &DocumentRun, person: EligiblePerson) -> String {
        let id = VerificationId {
            verification: run.id,
            person: person.mitid_uuid,
            channel: self.call.channel,
            create_time: self.call.now,
            mobile: person.mobile,
            agent: Some(run.agent_key),
        };
        id.seal(self.keys, &self.call.caller)
    }
}

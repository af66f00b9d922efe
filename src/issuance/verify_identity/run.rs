//! One run of VerifyIdentity that begins with a document: how it is counted, recorded and answered.

use uuid::Uuid;

use super::super::verification_id::VerificationId;
use super::super::{Call, Issuance, Refusal};
use super::Verification;
use crate::domain::assurance::AssuranceLevel;
use crate::domain::language::Language;
use crate::domain::person::{AgentKey, MitidUuid, MobileKey, PersonKey};
use crate::domain::question::FactKind;
use crate::domain::reason::{Denial, Reason};
use crate::store::verifications::{self, Method, NewVerification, Recorded, Standing};

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
    /// Records what the run has come to and words the answer.
    ///
    /// One failed verification was spent for the run before it began. It is given back when the run verifies the person
    /// or breaks off; a run with questions gives it back when they are answered well (R18).
    pub(super) async fn conclude(
        &self,
        call: &Call,
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

    async fn record(&self, call: &Call, run: &Run, step: Step) -> Result<Verification, Refusal> {
        let row = NewVerification {
            id: run.id,
            person: run.person,
            channel: call.channel,
            caller: &call.caller,
            agent: Some(run.agent),
            method: if run.by_witness { Method::Witness } else { Method::Questions },
            standing: match &step {
                Step::Rejected(reason) => Standing::Rejected(*reason),
                Step::Verified { assurance, .. } => Standing::Verified(*assurance),
                Step::Ask { .. } => Standing::Pending,
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
            Recorded::Kept => {}
            Recorded::Limited { until } => {
                return Err(Refusal::Limited(Denial::until(Reason::VerificationLimit, until)));
            }
            Recorded::WitnessUsed => {
                let run = Run { witness: None, references: run.references.clone(), ..*run };
                return Box::pin(self.record(call, &run, Step::Rejected(Reason::WitnessNotAccepted))).await;
            }
            Recorded::NonceUsed => return Ok(Verification::Rejected(Reason::LoginNotAccepted)),
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

    fn id(&self, call: &Call, run: &Run, subject: Subject) -> String {
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

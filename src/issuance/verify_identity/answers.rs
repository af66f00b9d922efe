//! Phone and counter: judges the answers to the questions (R16, R17).

use secrecy::{ExposeSecret as _, SecretString};

use super::agent::refuse_self_service;
use super::{Verification, VerifyIdentity};
use crate::domain::answer;
use crate::domain::assurance::AssuranceLevel;
use crate::domain::fact::FactKind;
use crate::domain::person::{Person, PersonReference};
use crate::domain::question::{self, Progress};
use crate::domain::reason::Reason;
use crate::issuance::Refusal;
use crate::issuance::sms_composer::choose_language;
use crate::issuance::verification_id::VerificationId;
use crate::store::verifying::answer_rounds::{self, Conclusion, PendingVerification};

/// Answers to the questions of a verification's last response.
pub struct Answers {
    /// The verification id that the caller got.
    pub verification_id: String,
    /// The person's answer to each question.
    pub answers: Vec<(FactKind, SecretString)>,
    /// The ID token of the agent.
    pub agent_token: SecretString,
}

impl VerifyIdentity<'_> {
    /// Judges one round of answers. One guarded update records the result: an outage before it costs the person no round,
    /// and if several agents answer concurrently, only one of them learns the result.
    pub(super) async fn judge_answers(&self, answers: &Answers) -> Result<Verification, Refusal> {
        // Step 1: Verify the agent, and find the pending verification.
        let now = self.call.now;
        self.limiter.spend_caller_call(&self.call.caller, now).await?;
        let (agent, agent_key) = self.verify_agent(&answers.agent_token).await?;
        let id = VerificationId::open(&answers.verification_id, self.keys, &self.call.caller, self.call.channel)?;
        let pending = answer_rounds::find_pending(self.store, id.verification).await?;
        let pending = pending.ok_or_else(|| Refusal::lasting(Reason::VerificationUsed))?;
        if now >= pending.expire_time {
            return Err(Refusal::lasting(Reason::VerificationExpired));
        }
        check_complete(&pending, answers)?;

        // Step 2: Find the person. The person may have been blocked since the questions were asked.
        let person = self.register.look_up_person(&PersonReference::Mitid(id.person)).await?;
        let person = person.ok_or_else(|| Refusal::lasting(Reason::VerificationUnknown))?;
        refuse_self_service(&agent, &person)?;
        if let Some(denial) = self.find_block_denial(&person).await? {
            return Err(Refusal::Precondition(vec![denial]));
        }

        // Step 3: Judge the answers.
        let conclusion = self.conclude_answers(&id, &pending, &person, answers).await?;

        // Step 4: Record the result, unless the caller would not get it: the round could not be answered again.
        if self.call.gone.is_cancelled() {
            return Err(Refusal::Abandoned);
        }
        let rounds = pending.answer_rounds;
        if !answer_rounds::conclude_round(self.store, id.verification, rounds, conclusion, agent_key, now).await? {
            return Err(Refusal::lasting(Reason::VerificationUsed));
        }

        // Step 5: Answer. A verified person gets back the failed verification that was spent at the start.
        let verification_id = answers.verification_id.clone();
        let expire_time = pending.expire_time;
        Ok(match conclusion {
            Conclusion::Verified(assurance) => {
                let person = self.keys.person_key(id.person);
                let spend = self.limiter.failed_verification(person, self.call.channel, id.verification);
                self.limiter.refund(&[spend], id.create_time).await;
                Verification::Verified { id: verification_id, assurance, expire_time, hold: None }
            }
            Conclusion::OneMore { kind, .. } => Verification::QuestionsPending {
                id: verification_id,
                questions: vec![kind],
                language: choose_language(self.language, &person),
                expire_time,
            },
            Conclusion::Rejected(reason) => Verification::Rejected(reason),
        })
    }

    async fn conclude_answers(
        &self,
        id: &VerificationId,
        pending: &PendingVerification,
        person: &Person,
        answers: &Answers,
    ) -> Result<Conclusion, Refusal> {
        let is_right =
            |kind: FactKind, text: &SecretString| answer::is_right(kind, text.expose_secret(), &person.facts);
        let right_now = answers.answers.iter().filter(|(kind, text)| is_right(*kind, text)).count();
        let right = pending.right_answers as usize + right_now;
        let mut excluded = self.list_excluded_kinds(self.keys.person_key(id.person)).await?;
        // Also after an operator has cleared the memory.
        excluded.extend(&pending.question_kinds);
        let mut rng = (self.question_draws)(id.person);
        let extra = question::draw_extra_question(&person.facts, person.protected, &excluded, &mut rng);
        let progress = question::judge_progress(right, pending.question_kinds.len(), extra.is_some());
        Ok(match (progress, extra) {
            (Progress::Passed, _) => Conclusion::Verified(AssuranceLevel::Substantial),
            (Progress::ExtraQuestion, Some(kind)) => Conclusion::OneMore { kind, right: right as u32 },
            _ => Conclusion::Rejected(Reason::IdentityNotConfirmed),
        })
    }
}

/// Checks that each question of this round has exactly one answer.
fn check_complete(pending: &PendingVerification, answers: &Answers) -> Result<(), Refusal> {
    // The first round asks all questions but the extra one, the second round the extra one alone.
    let first_asked = if pending.answer_rounds == 0 { 0 } else { question::FIRST_QUESTIONS };
    let asked = pending.question_kinds.get(first_asked..).unwrap_or_default();
    let each_once =
        asked.iter().all(|kind| answers.answers.iter().filter(|(answered, _)| answered == kind).count() == 1);
    if each_once && answers.answers.len() == asked.len() {
        return Ok(());
    }
    Err(Refusal::field("question_answers.answers", "must answer each question of the last response exactly once"))
}

//! Phone and counter: answers to questions (R16, R17).

use secrecy::{ExposeSecret as _, SecretString};

use super::super::verification_id::VerificationId;
use super::{Issuance, Verification};
use crate::domain::answer;
use crate::domain::assurance::AssuranceLevel;
use crate::domain::fact::FactKind;
use crate::domain::language::Language;
use crate::domain::person::PersonReference;
use crate::domain::question::{self, Progress};
use crate::domain::reason::Reason;
use crate::issuance::{CallContext, Refusal, language_of};
use crate::store::verifying::answer_rounds::{self, Conclusion, PendingVerification};
use crate::store::verifying::verifications;

/// Answers to the questions that a verification asked last.
pub struct Answers {
    /// The verification's id, as the caller got it.
    pub verification_id: String,
    /// What the person said, by question.
    pub answers: Vec<(FactKind, SecretString)>,
    /// ID token of the agent.
    pub agent_token: SecretString,
}

impl Issuance {
    /// Judges one round of answers. Its outcome is kept by one guarded update: an outage before it costs nobody a round,
    /// and of several answerers at once only one learns an outcome.
    pub(super) async fn question_answers(
        &self,
        call: &CallContext,
        answers: &Answers,
        language: Option<Language>,
    ) -> Result<Verification, Refusal> {
        self.admit_caller(&call.caller, call.now).await?;
        let (agent, agent_key) = self.agent(&answers.agent_token, call.now).await?;
        let id = VerificationId::open(&answers.verification_id, &self.keys, &call.caller, call.channel)?;
        let pending = answer_rounds::find_pending(&self.store, id.verification).await?;
        let pending = pending.ok_or_else(|| Refusal::lasting(Reason::VerificationUsed))?;
        if call.now >= pending.expire_time {
            return Err(Refusal::lasting(Reason::VerificationExpired));
        }
        check_complete(&pending, answers)?;
        let person = self.register.look_up_person(&PersonReference::Mitid(id.person)).await?;
        let person = person.ok_or_else(|| Refusal::lasting(Reason::VerificationUnknown))?;
        Self::not_oneself(&agent, &person)?;
        if let Some(denial) = self.block_denial(&person).await? {
            return Err(Refusal::Precondition(vec![denial]));
        }
        let right = answers
            .answers
            .iter()
            .filter(|(kind, text)| answer::is_right(*kind, text.expose_secret(), &person.facts))
            .count();
        let right = pending.right_answers as usize + right;
        let asked_before = verifications::list_unsuccessful_kinds(
            &self.store,
            self.keys.person_key(id.person),
            call.now - self.rules.verification.question_memory,
        )
        .await?;
        let extra = question::draw_extra_question(
            &person.facts,
            person.protected,
            &asked_before,
            &mut (self.question_draws)(id.person),
        );
        let conclusion = match (question::judge_progress(right, pending.question_kinds.len(), extra.is_some()), extra) {
            (Progress::Passed, _) => Conclusion::Verified(AssuranceLevel::Substantial),
            (Progress::ExtraQuestion, Some(kind)) => Conclusion::OneMore { kind, right: right as u32 },
            _ => Conclusion::Rejected(Reason::IdentityNotConfirmed),
        };
        // Nobody would get the outcome, and the round could not be answered again.
        if call.gone.is_cancelled() {
            return Err(Refusal::Abandoned);
        }
        let rounds = pending.answer_rounds;
        if !answer_rounds::conclude_round(&self.store, id.verification, rounds, conclusion, agent_key, call.now).await?
        {
            return Err(Refusal::lasting(Reason::VerificationUsed));
        }

        let verification_id = answers.verification_id.clone();
        let expire_time = pending.expire_time;
        Ok(match conclusion {
            Conclusion::Verified(assurance) => {
                let spent = self.failed_verification(self.keys.person_key(id.person), id.verification);
                self.refund(&[spent], id.create_time).await;
                Verification::Verified { id: verification_id, assurance, expire_time, hold: None }
            }
            Conclusion::OneMore { kind, .. } => Verification::QuestionsPending {
                id: verification_id,
                questions: vec![kind],
                language: language_of(language, &person),
                expire_time,
            },
            Conclusion::Rejected(reason) => Verification::Rejected(reason),
        })
    }
}

/// Each question of the present round is answered, exactly once.
fn check_complete(pending: &PendingVerification, answers: &Answers) -> Result<(), Refusal> {
    // The first round asks all but the extra question, the second that alone.
    let asked = pending.question_kinds.get(if pending.answer_rounds == 0 { 0.. } else { 3.. }).unwrap_or_default();
    let each_once =
        asked.iter().all(|kind| answers.answers.iter().filter(|(answered, _)| answered == kind).count() == 1);
    if each_once && answers.answers.len() == asked.len() {
        return Ok(());
    }
    Err(Refusal::field("question_answers.answers", "must answer each question of the last response exactly once"))
}

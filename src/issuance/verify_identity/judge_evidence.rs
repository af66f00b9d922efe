//! Judges the evidence that a channel gives. Each kind of evidence has its own file.

use tokio::time::Instant;

use super::{Answers, CounterIdentification, PhoneIdentification, Verification, VerifyIdentity, WebLoginEvidence};
use crate::domain::channel::Channel;
use crate::domain::reason::Reason;
use crate::issuance::Refusal;
use crate::issuance::response_padding::pad_response_time;

/// Evidence of who a person is. It holds secrets, so it has no `Debug`.
pub enum Evidence {
    /// The person's own login.
    Web(WebLoginEvidence),
    /// What the person tells a support agent.
    Phone(PhoneIdentification),
    /// What a clerk has seen.
    Counter(Box<CounterIdentification>),
    /// Answers to the questions of a verification.
    Answers(Answers),
}

impl VerifyIdentity<'_> {
    /// Judges the evidence. Rejections and refusals are padded, so that their latency does not reveal the reason.
    pub(in crate::issuance) async fn run(&self, evidence: Evidence) -> Result<Verification, Refusal> {
        let start = Instant::now();
        let result = self.judge_evidence(evidence).await;
        if !matches!(result, Ok(Verification::Verified { .. } | Verification::QuestionsPending { .. })) {
            pad_response_time(start, self.rules.verification.refusal_interval).await;
        }
        result
    }

    async fn judge_evidence(&self, evidence: Evidence) -> Result<Verification, Refusal> {
        let verification = match (self.call.channel, evidence) {
            (Channel::Web, Evidence::Web(login)) => self.verify_web_login(&login).await,
            (Channel::Phone, Evidence::Phone(evidence)) => self.identify_by_phone(&evidence).await,
            (Channel::Counter, Evidence::Counter(evidence)) => self.identify_at_counter(&evidence).await,
            (Channel::Phone | Channel::Counter, Evidence::Answers(answers)) => self.judge_answers(&answers).await,
            _ => Err(Refusal::NotAllowed(Reason::CallerNotAllowed)),
        }?;
        self.metrics.count_verification(self.call.channel, verification.outcome());
        Ok(verification)
    }
}

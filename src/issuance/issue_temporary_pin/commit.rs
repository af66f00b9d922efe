//! Step 3: Postgres has the last word. The PIN is drawn here, and only if it may be issued.

use std::sync::Arc;

use super::IssueTemporaryPin;
use super::decide::IssueDecision;
use super::prepare::PreparedOrder;
use crate::domain::pin::Pin;
use crate::domain::reason::Reason;
use crate::guard::Spend;
use crate::issuance::Refusal;
use crate::random;
use crate::store::StoreError;
use crate::store::issuing::{IssueOutcome, NewPin, PinOrder, PinRequestView};
use crate::texts::SmsText;

impl IssueTemporaryPin<'_> {
    /// Issues the PIN, sends the open one again, or tells why not.
    pub(super) async fn commit(
        &self,
        prepared: &PreparedOrder,
        decision: &IssueDecision,
    ) -> Result<IssueOutcome, StoreError> {
        let order = PinOrder {
            caller: Arc::clone(&self.call.caller),
            request_id: self.order.request_id,
            payload_digest: prepared.payload_digest,
            verification_id: prepared.id.verification,
            person: prepared.person,
            keys: prepared.keys.clone(),
            mobile: prepared.id.mobile,
            channel: self.call.channel,
            agent: prepared.id.agent,
            now: self.call.now,
            masked_mobile_number: prepared.mobile_number.masked(),
            new_pin: decision.may_issue().then(|| self.draw_pin(prepared)),
        };
        let is_handed_over = order.new_pin.as_ref().is_some_and(|new_pin| new_pin.handover_place.is_some());
        let outcome = self.pin_issuer.issue(order).await?;
        self.announce(&outcome, is_handed_over);
        Ok(outcome)
    }

    /// Counts a new PIN, and wakes the dispatcher if it has to claim an SMS.
    fn announce(&self, outcome: &IssueOutcome, is_handed_over: bool) {
        if matches!(outcome, IssueOutcome::Issued(_)) {
            self.metrics.count_issued_pin(self.call.channel);
        }
        let has_sms_to_claim = match outcome {
            IssueOutcome::Issued(_) => !is_handed_over,
            outcome => matches!(outcome, IssueOutcome::Resent(_)),
        };
        if has_sms_to_claim {
            self.dispatcher_wake.notify_one();
        }
    }

    /// Draws a PIN, and seals its SMS.
    fn draw_pin(&self, prepared: &PreparedOrder) -> NewPin {
        let mut rng = random::secure();
        let pin = Pin::draw(&mut rng);
        let pin_request_id = random::time_ordered_uuid(self.call.now, &mut rng);
        let message_id = random::time_ordered_uuid(self.call.now, &mut rng);
        let expire_time = self.call.now + self.rules.pin.lifetime;
        let text = SmsText::Pin { pin: &pin, expire_time };
        NewPin {
            pin_request_id,
            verifier: self.keys.make_pin_verifier(pin_request_id, &pin, &mut rng),
            expire_time,
            message_id,
            sealed_body: self.sms_composer.compose(message_id, &text, prepared.language, &prepared.mobile_number),
            handover_place: self.local_handovers.reserve(self.call.now).map(Arc::new),
        }
    }

    /// The answer: the PIN request, or why there is none.
    pub(super) async fn answer(
        &self,
        outcome: IssueOutcome,
        decision: IssueDecision,
        costs: &[Spend<'_>],
    ) -> Result<PinRequestView, Refusal> {
        match (outcome, decision) {
            // Redis counts a PIN that Postgres does not count: an order of the person, or to the mobile number, is running in
            // another instance. A limit of the agent has no rows to be compared with.
            (IssueOutcome::NotIssued, IssueDecision::MayOnlyRepeat(refusal)) => match refusal.reason() {
                Reason::PersonLimit | Reason::MobileLimit => {
                    let is_full = |cost: &&Spend<'_>| cost.bucket.reason() == refusal.reason();
                    let full: Vec<Spend<'_>> = costs.iter().filter(is_full).copied().collect();
                    Err(self.limiter.answer_busy(&full, self.call.now).await)
                }
                _ => Err(refusal),
            },
            (outcome, _) => outcome.into_answer(),
        }
    }
}

impl IssueOutcome {
    /// The answer, if it does not depend on the guard's decision.
    pub(super) fn into_answer(self) -> Result<PinRequestView, Refusal> {
        match self {
            Self::Issued(view) | Self::Resent(view) | Self::AlreadyOpen(view) | Self::Replayed(view) => Ok(view),
            Self::RequestIdReused => Err(Refusal::RequestIdReused),
            Self::Refused(denial) => Err(Refusal::Precondition(vec![denial])),
            Self::Limited(denial) => Err(Refusal::Limited(denial)),
            Self::NotIssued => Err(Refusal::Internal("not issued, though the guard allowed it".into())),
        }
    }
}

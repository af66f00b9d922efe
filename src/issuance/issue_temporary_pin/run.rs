//! The three steps, in order.

use super::IssueTemporaryPin;
use super::prepare::Preparation;
use crate::issuance::Refusal;
use crate::store::issuing::{IssueOutcome, PinRequestView};

impl IssueTemporaryPin<'_> {
    pub(in crate::issuance) async fn run(&self) -> Result<PinRequestView, Refusal> {
        let prepared = match self.prepare().await? {
            Preparation::Ready(prepared) => prepared,
            Preparation::Answered(outcome) => return outcome.into_answer(),
        };
        // Concurrent orders of one person must not see what the others have spent but not committed.
        let _turn = self.person_turns.wait_for_turn(prepared.person).await?;

        let costs = self.list_costs(&prepared);
        let decision = self.decide(prepared.person, &costs).await?;

        let outcome = self.commit(&prepared, &decision).await;
        if decision.may_issue() && !matches!(outcome, Ok(IssueOutcome::Issued(_))) {
            self.limiter.refund(&costs, self.call.now).await;
        }
        self.answer(outcome?, decision, &costs).await
    }
}

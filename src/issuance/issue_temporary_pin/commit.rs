//! Runs the statement, again if the outcome may depend on a concurrent order.

use std::time::Duration;

use super::{IssueDecision, IssueTemporaryPin, VerificationId};
use crate::domain::person::PersonReference;
use crate::issuance::Refusal;
use crate::store::issuing::{IssueOutcome, find_replay};

/// The pauses between runs of the statement while a concurrent order of the same person may be committing.
const CONCURRENT_ORDER_PAUSES: [Duration; 4] =
    [Duration::from_millis(20), Duration::from_millis(50), Duration::from_millis(100), Duration::from_millis(200)];

impl IssueTemporaryPin<'_> {
    /// The statement's outcome. If Redis refused, the statement still runs, with leave only to repeat.
    pub(super) async fn prepare_and_commit(
        &self,
        id: &VerificationId,
        decision: &IssueDecision,
    ) -> Result<IssueOutcome, Refusal> {
        let mut outcome = self.try_once(id, decision.may_issue()).await;
        for pause in CONCURRENT_ORDER_PAUSES {
            let is_not_issued = matches!(outcome, Ok(IssueOutcome::NotIssued));
            if !(is_not_issued && decision.may_depend_on_concurrent_order()) {
                break;
            }
            tokio::time::sleep(pause).await;
            outcome = self.try_once(id, false).await;
        }
        outcome
    }

    async fn try_once(&self, id: &VerificationId, may_issue: bool) -> Result<IssueOutcome, Refusal> {
        let payload_digest = self.digest_payload();
        let person = self.register.look_up_person(&PersonReference::Mitid(id.person)).await?;
        let recipient = match self.find_recipient(id, person.as_ref()) {
            Ok(recipient) => recipient,
            // An order that was answered before gets the same answer, even if the person is not eligible any more.
            Err(refusal) => {
                let replay = find_replay(self.store, &self.call.caller, self.order.request_id, payload_digest).await?;
                return replay.ok_or(refusal);
            }
        };
        let order = self.build_pin_order(id, &recipient, payload_digest, may_issue);
        Ok(self.pin_issuer.issue(order).await?)
    }
}

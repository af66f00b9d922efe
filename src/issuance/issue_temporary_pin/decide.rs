//! Step 2: Redis decides by the limits and the hold whether a new PIN may be issued.

use super::IssueTemporaryPin;
use super::prepare::PreparedOrder;
use crate::domain::channel::Channel;
use crate::domain::eligibility::find_hold_denial;
use crate::domain::person::PersonKey;
use crate::domain::reason::{Denial, Reason};
use crate::guard::{Bucket, GuardDecision, Spend};
use crate::issuance::{Dependency, Refusal};
use crate::store::holds::access_requests;

/// Whether a new PIN may be issued.
pub(super) enum IssueDecision {
    /// It may, and what the PIN costs has been spent.
    MayIssue,
    /// Only an earlier answer may be repeated, or the open PIN sent again or returned. These cost no limit, and only Postgres
    /// knows of them. The refusal is the answer if there is nothing to repeat. Nothing has been spent.
    MayOnlyRepeat(Refusal),
}

impl IssueDecision {
    pub(super) const fn may_issue(&self) -> bool {
        matches!(self, Self::MayIssue)
    }
}

impl IssueTemporaryPin<'_> {
    /// What one PIN costs (R22, R25). The costs of the person and of the mobile number are spent once per request id.
    pub(super) fn list_costs(&self, prepared: &PreparedOrder) -> Vec<Spend<'static>> {
        let limits = &self.rules.limits;
        let spend = |bucket, limit| Spend { bucket, limit, id: self.order.request_id };
        let mut costs = vec![
            spend(Bucket::PersonPins(prepared.person), limits.person_pins),
            spend(Bucket::MobilePins(prepared.id.mobile), limits.mobile_pins),
            spend(Bucket::ServicePins, limits.service_pins),
        ];
        costs.extend(prepared.id.agent.map(|agent| spend(Bucket::AgentPins(agent), limits.agent_pins)));
        costs
    }

    /// Checks the hold on the web and spends the costs. A hold that Redis has lost is rebuilt from Postgres. A hold that
    /// Redis still keeps after its use is refused by the statement.
    pub(super) async fn decide(&self, person: PersonKey, costs: &[Spend<'_>]) -> Result<IssueDecision, Refusal> {
        let now = self.call.now;
        let hold_of = (self.call.channel == Channel::Web).then_some(person);
        let mut decision = self.guard.check_and_spend(hold_of, costs, now).await?;
        if decision == GuardDecision::HoldMissing {
            let Some(hold) = access_requests::find_open(self.store, person).await? else {
                return Ok(IssueDecision::MayOnlyRepeat(Refusal::lasting(Reason::AccessNotRequested)));
            };
            self.guard.remember_hold(person, &hold, now).await?;
            if let Some(denial) = find_hold_denial(Some(&hold), now) {
                return Ok(IssueDecision::MayOnlyRepeat(Refusal::Precondition(vec![denial])));
            }
            decision = self.guard.check_and_spend(hold_of, costs, now).await?;
        }
        Ok(match decision {
            GuardDecision::Allowed => IssueDecision::MayIssue,
            GuardDecision::Limited { reason, until } => {
                IssueDecision::MayOnlyRepeat(Refusal::Limited(Denial::until(reason, until)))
            }
            // The script and the rule agree on holds, so there is a denial.
            GuardDecision::HoldNotPassed(hold) => match find_hold_denial(Some(&hold), now) {
                Some(denial) => IssueDecision::MayOnlyRepeat(Refusal::Precondition(vec![denial])),
                None => IssueDecision::MayIssue,
            },
            GuardDecision::HoldMissing => {
                return Err(Refusal::unavailable(Dependency::Redis, &"a hold was lost right after it was stored"));
            }
        })
    }
}

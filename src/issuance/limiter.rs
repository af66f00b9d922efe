//! Spends the limits that Redis keeps, and gives back what was not used.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{Dependencies, Refusal};
use crate::domain::person::{AgentKey, PersonKey};
use crate::domain::rules::LimitRules;
use crate::guard::{Bucket, Guard, Spend};

/// Spends and refunds limits during one call.
#[derive(Clone, Copy)]
pub(super) struct Limiter<'a> {
    guard: &'a Guard,
    limits: &'a LimitRules,
}

impl<'a> Limiter<'a> {
    pub(super) fn new(dependencies: &'a Dependencies) -> Self {
        Self { guard: &dependencies.guard, limits: &dependencies.rules.limits }
    }

    /// Spends one call of the caller's limit.
    pub(super) async fn spend_caller_call(&self, caller: &str, now: DateTime<Utc>) -> Result<(), Refusal> {
        // A rate does not look at the id.
        let spend = Spend { bucket: Bucket::CallerCalls(caller), limit: self.limits.caller_calls, id: Uuid::nil() };
        self.spend(&[spend], now).await
    }

    /// Spends one verification of the agent (R22).
    pub(super) async fn spend_agent_verification(
        &self,
        agent: AgentKey,
        verification: Uuid,
        now: DateTime<Utc>,
    ) -> Result<(), Refusal> {
        let limit = self.limits.agent_verifications;
        self.spend(&[Spend { bucket: Bucket::AgentVerifications(agent), limit, id: verification }], now).await
    }

    /// Spends all of `spends` or nothing. A reached limit is a refusal.
    pub(super) async fn spend(&self, spends: &[Spend<'_>], now: DateTime<Utc>) -> Result<(), Refusal> {
        Refusal::check_limits(self.guard.check_and_spend(None, spends, now).await?)
    }

    /// One failed verification of the person. It is spent before the verification is known to fail (R18).
    pub(super) fn failed_verification(&self, person: PersonKey, verification: Uuid) -> Spend<'static> {
        let limit = self.limits.failed_verifications;
        Spend { bucket: Bucket::FailedVerifications(person), limit, id: verification }
    }

    /// Gives back what was spent at `spent_at`. If Redis fails, the spend stays: the limit is then stricter, never laxer.
    pub(super) async fn refund(&self, spends: &[Spend<'_>], spent_at: DateTime<Utc>) {
        if let Err(error) = self.guard.refund(spends, spent_at).await {
            tracing::warn!(%error, "a spend was not refunded");
        }
    }
}

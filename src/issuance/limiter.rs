//! Spends the limits that Redis keeps, and gives back what was not used.

use std::time::Duration;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{Dependencies, Refusal};
use crate::deadline;
use crate::domain::channel::Channel;
use crate::domain::person::{AgentKey, PersonKey};
use crate::domain::rule_settings::LimitRules;
use crate::guard::{Bucket, Guard, Spend};

/// No call runs longer than this. What an older call spent of a limit counts only if Postgres has the row.
const MAX_CALL_DURATION: Duration = Duration::from_secs(60);

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
        self.spend(&[self.agent_verification(agent, verification)], now).await
    }

    /// One verification of the agent (R22).
    pub(super) fn agent_verification(&self, agent: AgentKey, verification: Uuid) -> Spend<'static> {
        let limit = self.limits.agent_verifications;
        Spend { bucket: Bucket::AgentVerifications(agent), limit, id: verification }
    }

    /// Spends all of `spends` or nothing. A reached limit is a refusal.
    pub(super) async fn spend(&self, spends: &[Spend<'_>], now: DateTime<Utc>) -> Result<(), Refusal> {
        Refusal::check_limits(self.guard.check_and_spend(None, spends, now).await?)
    }

    /// One failed verification of the person in this channel. It is spent before the verification is known to fail (R18).
    pub(super) fn failed_verification(
        &self,
        person: PersonKey,
        channel: Channel,
        verification: Uuid,
    ) -> Spend<'static> {
        let limit = self.limits.failed_verifications;
        Spend { bucket: Bucket::FailedVerifications(person, channel), limit, id: verification }
    }

    /// Spends what is on record in Postgres already, so that Redis counts it too. If Redis fails or its limit is reached, Postgres
    /// alone counts it.
    pub(super) async fn note_spent(&self, spends: &[Spend<'_>], now: DateTime<Utc>) {
        if let Err(error) = deadline::without_deadline(self.guard.check_and_spend(None, spends, now)).await {
            tracing::warn!(%error, "a failed verification was not noted in Redis");
        }
    }

    /// What to do when Redis reports a limit of a person that the rows in Postgres do not confirm: calls are running in another
    /// instance, or a process stopped before it gave back what a call had spent. The latter is forgotten here, so that a repeat
    /// gets through.
    pub(super) async fn answer_busy(&self, spends: &[Spend<'_>], now: DateTime<Utc>) -> Refusal {
        if let Err(error) = self.guard.forget_spends_before(spends, now - MAX_CALL_DURATION).await {
            tracing::warn!(%error, "spends of calls that have ended were not forgotten");
        }
        Refusal::Busy
    }

    /// Gives back what was spent at `spent_at`. If Redis fails, the spend stays: the limit is then stricter, never laxer.
    pub(super) async fn refund(&self, spends: &[Spend<'_>], spent_at: DateTime<Utc>) {
        if let Err(error) = self.guard.refund(spends, spent_at).await {
            tracing::warn!(%error, "a spend was not refunded");
        }
    }
}

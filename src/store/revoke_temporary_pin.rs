//! The revoke transaction (R9).

use chrono::{DateTime, Utc};
use sqlx::PgPool;

use super::{StoreError, run};
use crate::domain::person::{AgentKey, PersonKey};

/// An order to end something for good, by an operator or by the service itself.
pub struct Withdrawal<'a> {
    /// The person.
    pub person: PersonKey,
    /// The caller that asks.
    pub caller: &'a str,
    /// The agent, if one is known.
    pub agent: Option<AgentKey>,
    /// Why, as the audit keeps it: a fixed word or a case reference, nothing personal.
    pub reason: &'a str,
    /// The time of the order.
    pub now: DateTime<Utc>,
}

/// Revokes the person's open PIN: final and audited; what is not sent yet is not sent. Says whether there was one.
pub async fn revoke(pool: &PgPool, withdrawal: &Withdrawal<'_>) -> Result<bool, StoreError> {
    run(pool, "revoke_temporary_pin", async |connection| {
        let revoked = sqlx::query!(
            r#"WITH revoked AS (
                UPDATE pin_requests SET state = 'revoked', close_time = $5, revoke_reason = $4
                WHERE person_key = $1 AND state = 'open' AND expire_time > $5
                RETURNING id, message_id
            ),
            erased AS (
                UPDATE outbox o SET sealed_body = NULL, lease_token = NULL, lease_expire_time = NULL,
                    state = CASE o.state WHEN 'queued' THEN 'cancelled' ELSE o.state END
                FROM revoked WHERE o.id = revoked.message_id
            ),
            event AS (
                INSERT INTO audit_events (event_time, person_key, action, caller, reason, pin_request_id)
                SELECT $5, $1, 'pin_revoked', $2, $4, revoked.id FROM revoked
                RETURNING id
            ),
            agent AS (
                INSERT INTO audit_agents (audit_event_id, agent_key)
                SELECT event.id, $3::bytea FROM event WHERE $3::bytea IS NOT NULL
            )
            SELECT id FROM revoked"#,
            &withdrawal.person.0,
            withdrawal.caller,
            withdrawal.agent.as_ref().map(|agent| agent.0.as_slice()),
            withdrawal.reason,
            withdrawal.now,
        )
        .fetch_optional(connection)
        .await?;
        Ok(revoked.is_some())
    })
    .await
}

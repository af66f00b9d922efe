//! The cancel transaction (R9).

use sqlx::PgPool;

use super::revoke_temporary_pin::Withdrawal;
use super::{StoreError, run};

/// Cancels the person's open access request: final and audited; notices that are not sent yet are not sent. Says
/// whether there was one. The hold in Redis is for the caller to forget.
pub async fn cancel(pool: &PgPool, withdrawal: &Withdrawal<'_>) -> Result<bool, StoreError> {
    run(pool, "cancel_access_request", async |connection| {
        let cancelled = sqlx::query!(
            r#"WITH cancelled AS (
                UPDATE access_requests SET state = 'cancelled', close_time = $5
                WHERE person_key = $1 AND state = 'open' AND expire_time > $5
                RETURNING id, notice_ids
            ),
            erased AS (
                UPDATE outbox o SET sealed_body = NULL, lease_token = NULL, lease_expire_time = NULL,
                    state = CASE o.state WHEN 'queued' THEN 'cancelled' ELSE o.state END
                FROM cancelled WHERE o.id = ANY (cancelled.notice_ids)
            ),
            event AS (
                INSERT INTO audit_events (event_time, person_key, action, caller, reason, access_request_id)
                SELECT $5, $1, 'access_cancelled', $2, $4, cancelled.id FROM cancelled
                RETURNING id
            ),
            agent AS (
                INSERT INTO audit_agents (audit_event_id, agent_key)
                SELECT event.id, $3::bytea FROM event WHERE $3::bytea IS NOT NULL
            )
            SELECT id FROM cancelled"#,
            &withdrawal.person.0,
            withdrawal.caller,
            withdrawal.agent.as_ref().map(|agent| agent.0.as_slice()),
            withdrawal.reason,
            withdrawal.now,
        )
        .fetch_optional(connection)
        .await?;
        Ok(cancelled.is_some())
    })
    .await
}

//! The outbox: SMS to send. The transactions that cause a message queue it.
//!
//! A dispatcher claims a due row for the length of a lease, or gets it with a short lease from the order that queues it (see
//! [`local_handovers`](super::local_handovers)). It records in a commit of its own that the hand-over begins, which renews the
//! lease, calls the gateway, and records the outcome. The lease's token guards each step. If a lease expires
//! - before the hand-over has begun, another dispatcher claims the row: the message was not sent;
//! - after it has begun, it is unknown whether the gateway took the message: a PIN has failed and is sent again only if the
//!   person orders it (R5), so that no PIN is sent twice unasked; a notice is sent once more at most (R29).

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgPool};
use tracing::error;
use uuid::Uuid;

use super::{ClaimedMessage, MessageKind, Notice};
use crate::domain::dispatch::MAX_UNKNOWN_OUTCOMES_OF_NOTICE;
use crate::domain::person::PersonKey;
use crate::store::connections::{StoreError, write};

/// Claims up to `limit` due messages: PINs before notices, and of each those that have been due longest. Leaves out messages
/// with less than `least_life` left. `token` must be fresh for every claim.
pub async fn claim_due(
    pool: &PgPool,
    now: DateTime<Utc>,
    least_life: Duration,
    lease: Duration,
    limit: usize,
    token: Uuid,
) -> Result<Vec<ClaimedMessage>, StoreError> {
    write(pool, "claim_messages", async |connection| {
        let claimed = sqlx::query_file!(
            "src/store/messages/claim_due.sql",
            now,
            i64::try_from(limit).unwrap_or(i64::MAX),
            token,
            now + lease,
            now + least_life,
        )
        .fetch_all(connection)
        .await?;
        let messages = claimed.into_iter().filter_map(|row| {
            // One strange row must not keep the others from their phones.
            let Some(kind) = MessageKind::from_name(&row.kind) else {
                error!(message = %row.id, "this message is of a kind unknown here and is left alone");
                return None;
            };
            Some(ClaimedMessage {
                id: row.id,
                kind,
                sealed_body: row.sealed_body,
                sends: row.sends,
                attempts: row.attempts,
                unknown_outcomes: row.unknown_outcomes,
                expire_time: row.expire_time,
                lease_token: row.lease_token,
            })
        });
        Ok(messages.collect())
    })
    .await
}

/// Gives back the leases of messages whose hand-over has not begun, so that any dispatcher can claim them at once.
pub async fn give_back(pool: &PgPool, messages: &[ClaimedMessage]) -> Result<(), StoreError> {
    let ids: Vec<Uuid> = messages.iter().map(|message| message.id).collect();
    let tokens: Vec<Uuid> = messages.iter().map(|message| message.lease_token).collect();
    write(pool, "give_back_messages", async |connection| {
        sqlx::query!(
            "UPDATE outbox SET lease_token = NULL, lease_expire_time = NULL
            FROM unnest($1::uuid[], $2::uuid[]) AS message (id, lease_token)
            WHERE outbox.id = ANY ($1) AND outbox.id = message.id AND outbox.lease_token = message.lease_token
                AND (state = 'queued') IS TRUE AND handover_time IS NULL",
            &ids,
            &tokens,
        )
        .execute(connection)
        .await?;
        Ok(())
    })
    .await
}

/// Queues a notice as part of the transaction that causes it.
///
/// `kind` is `hold_passed`, whatever the notice says: version 0.1.0, which may send it, knows that kind and sends it like
/// any notice. The column `notice` has the true kind.
pub(in crate::store) async fn queue_notice(
    connection: &mut PgConnection,
    person: PersonKey,
    notice: &Notice,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    sqlx::query!(
        "INSERT INTO outbox (
            id, person_key, kind, notice, state, sealed_body, next_attempt_time, expire_time, create_time
        )
        VALUES ($1, $2, 'hold_passed', $3, 'queued', $4, $5, $6, $7)",
        notice.id,
        &person.0,
        notice.kind.as_str(),
        notice.sealed_body,
        notice.due_time,
        notice.expire_time,
        now,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Withdraws messages as part of the transaction that makes them pointless: they are not sent any more, and their texts are
/// erased. The state of a queued message becomes `state_if_queued`: `cancelled` or `expired`.
pub(in crate::store) async fn withdraw(
    connection: &mut PgConnection,
    message_ids: &[Uuid],
    state_if_queued: &str,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE outbox o SET (sealed_body, lease_token, lease_expire_time, state) = (
            SELECT w.* FROM withdrawn_message(o.state, $2) AS w
        )
        WHERE o.id = ANY ($1)",
        message_ids,
        state_if_queued,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Records that a hand-over has failed, and when the next one is due. `is_unknown`: the gateway may have taken the message.
pub async fn schedule_retry(
    pool: &PgPool,
    message: &ClaimedMessage,
    next_attempt_time: DateTime<Utc>,
    is_unknown: bool,
    reason: &str,
) -> Result<(), StoreError> {
    write(pool, "retry_message_later", async |connection| {
        sqlx::query!(
            "UPDATE outbox SET next_attempt_time = $3, last_error = $4, handover_time = NULL,
                lease_token = NULL, lease_expire_time = NULL,
                unknown_outcomes = unknown_outcomes + CASE WHEN $5 THEN 1 ELSE 0 END
            WHERE id = $1 AND lease_token = $2 AND (state = 'queued') IS TRUE",
            message.id,
            message.lease_token,
            next_attempt_time,
            reason,
            is_unknown,
        )
        .execute(connection)
        .await?;
        Ok(())
    })
    .await
}

/// Records that the message will not be handed over again. A PIN's body stays while R5 allows another send.
pub async fn record_failure(pool: &PgPool, message: &ClaimedMessage, reason: &str) -> Result<(), StoreError> {
    write(pool, "message_failed", async |connection| {
        sqlx::query!(
            "UPDATE outbox SET state = 'failed', last_error = $3, handover_time = NULL, lease_token = NULL,
                lease_expire_time = NULL, sealed_body = CASE WHEN kind = 'pin' AND NOT last_send THEN sealed_body END
            WHERE id = $1 AND lease_token = $2 AND (state = 'queued') IS TRUE",
            message.id,
            message.lease_token,
            reason,
        )
        .execute(connection)
        .await?;
        Ok(())
    })
    .await
}

/// Puts off a message whose hand-over has not begun, because no gateway is open to it.
pub async fn postpone(
    pool: &PgPool,
    message: &ClaimedMessage,
    next_attempt_time: DateTime<Utc>,
) -> Result<(), StoreError> {
    write(pool, "postpone_message", async |connection| {
        sqlx::query!(
            "UPDATE outbox SET next_attempt_time = $3, lease_token = NULL, lease_expire_time = NULL
            WHERE id = $1 AND lease_token = $2 AND (state = 'queued') IS TRUE AND handover_time IS NULL",
            message.id,
            message.lease_token,
            next_attempt_time,
        )
        .execute(connection)
        .await?;
        Ok(())
    })
    .await
}

/// Records that this instance cannot open the message, and when it may be claimed again, by an instance that can.
pub async fn leave_unopened(
    pool: &PgPool,
    message: &ClaimedMessage,
    next_attempt_time: DateTime<Utc>,
    reason: &str,
) -> Result<(), StoreError> {
    write(pool, "leave_message_unopened", async |connection| {
        sqlx::query!(
            "UPDATE outbox SET next_attempt_time = $3, last_error = $4, attempts = attempts + 1, lease_token = NULL,
                lease_expire_time = NULL
            WHERE id = $1 AND lease_token = $2 AND (state = 'queued') IS TRUE AND handover_time IS NULL",
            message.id,
            message.lease_token,
            next_attempt_time,
            reason,
        )
        .execute(connection)
        .await?;
        Ok(())
    })
    .await
}

/// How many messages of a kind have ended in the same way.
pub struct EndedMessages {
    pub kind: MessageKind,
    pub count: u64,
}

/// Settles the messages whose lease expired during the hand-over, and returns those that are given up. A PIN fails, because it
/// may have been sent. A notice is due again, if its outcome was not unknown too often: what
/// [`decide_next_step`](crate::domain::dispatch::decide_next_step) says of an unknown outcome, for many rows.
///
/// The lease's token stays, so that an answer of the gateway that arrives later is still recorded: see
/// [`Handovers::record_acceptance`](super::handovers::Handovers::record_acceptance).
pub async fn settle_lost_handovers(pool: &PgPool, now: DateTime<Utc>) -> Result<Vec<EndedMessages>, StoreError> {
    write(pool, "settle_lost_messages", async |connection| {
        let rows = sqlx::query!(
            r#"WITH lost AS (
                UPDATE outbox SET last_error = 'outcome unknown', unknown_outcomes = unknown_outcomes + 1,
                    state = CASE WHEN kind = 'pin' OR unknown_outcomes + 1 >= $2 THEN 'failed' ELSE state END,
                    sealed_body = CASE
                        WHEN kind = 'pin' AND last_send OR kind <> 'pin' AND unknown_outcomes + 1 >= $2 THEN NULL
                        ELSE sealed_body
                    END,
                    handover_time = CASE WHEN kind = 'pin' OR unknown_outcomes + 1 >= $2 THEN handover_time END
                WHERE state = 'queued' AND handover_time IS NOT NULL AND lease_expire_time <= $1
                RETURNING coalesce(notice, kind) AS kind, state
            )
            SELECT kind AS "kind!", count(*) AS "count!" FROM lost WHERE state = 'failed' GROUP BY kind"#,
            now,
            i32::try_from(MAX_UNKNOWN_OUTCOMES_OF_NOTICE).unwrap_or(i32::MAX),
        )
        .fetch_all(connection)
        .await?;
        rows.into_iter().map(|row| ended_messages(&row.kind, row.count)).collect()
    })
    .await
}

/// Erases the bodies of expired messages. Messages that were still queued become expired, and are returned.
pub async fn erase_expired(pool: &PgPool, now: DateTime<Utc>) -> Result<Vec<EndedMessages>, StoreError> {
    write(pool, "expire_messages", async |connection| {
        let rows = sqlx::query!(
            r#"WITH erased AS (
                UPDATE outbox SET sealed_body = NULL, state = CASE state WHEN 'queued' THEN 'expired' ELSE state END
                WHERE expire_time <= $1 AND sealed_body IS NOT NULL
                    AND NOT (state = 'queued' AND handover_time IS NOT NULL)
                RETURNING coalesce(notice, kind) AS kind, state
            )
            SELECT kind AS "kind!", count(*) AS "count!" FROM erased WHERE state = 'expired' GROUP BY kind"#,
            now,
        )
        .fetch_all(connection)
        .await?;
        rows.into_iter().map(|row| ended_messages(&row.kind, row.count)).collect()
    })
    .await
}

fn ended_messages(kind: &str, count: i64) -> Result<EndedMessages, StoreError> {
    let kind = MessageKind::from_name(kind).ok_or_else(|| StoreError::unknown_value("outbox.kind"))?;
    Ok(EndedMessages { kind, count: count.unsigned_abs() })
}

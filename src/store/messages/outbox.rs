//! The outbox: SMS to send. Rows are queued by the transactions that cause them.
//!
//! A dispatcher claims a due row for the length of a lease, begins the hand-over in a commit of its own, calls the
//! gateway, and records the outcome. Each step after the claim is guarded by the lease's token. When a lease runs out
//! - before the hand-over, another dispatcher claims the row: nobody has sent it;
//! - after it, nobody knows whether the phone has it: the row has failed, and only a new send, which the person orders
//!   (R5), goes out. So no message is ever sent by two dispatchers.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use crate::domain::person::PersonKey;
use crate::store::connections::{StoreError, write};

/// What a message says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageKind {
    /// The PIN.
    Pin,
    /// Access was requested; how to stop it.
    AccessRequested,
    /// The hold has passed; the person may order.
    HoldPassed,
    /// R9: the request for access was cancelled.
    AccessCancelled,
    /// R9: the PIN was revoked.
    PinRevoked,
}

impl MessageKind {
    /// The name used in the table, metrics and logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pin => "pin",
            Self::AccessRequested => "access_requested",
            Self::HoldPassed => "hold_passed",
            Self::AccessCancelled => "access_cancelled",
            Self::PinRevoked => "pin_revoked",
        }
    }

    /// The kind of that name, the reverse of [`Self::as_str`].
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Pin, Self::AccessRequested, Self::HoldPassed, Self::AccessCancelled, Self::PinRevoked]
            .into_iter()
            .find(|kind| kind.as_str() == name)
    }
}

/// A sealed SMS that tells the person something.
pub struct Notice {
    /// Its id in the outbox.
    pub id: Uuid,
    /// What it says.
    pub kind: MessageKind,
    /// Sealed number and text.
    pub sealed_body: Vec<u8>,
    /// From when it can be sent.
    pub due_time: DateTime<Utc>,
    /// From when it is not sent any more.
    pub expire_time: DateTime<Utc>,
}

/// A message that is ours until the lease runs out. Has no `Debug`.
pub struct ClaimedMessage {
    /// The message.
    pub id: Uuid,
    /// What it says.
    pub kind: MessageKind,
    /// Recipient and text, sealed.
    pub sealed_body: Vec<u8>,
    /// Which send of the message this is, from 1.
    pub sends: i16,
    /// Hand-overs of this send begun before.
    pub attempts: i16,
    /// From when it must not be sent any more.
    pub expire_time: DateTime<Utc>,
    pub(in crate::store) lease_token: Uuid,
}

/// Claims up to `limit` messages that are due, the longest due first. `token` is fresh for every claim.
pub async fn claim_due(
    pool: &PgPool,
    now: DateTime<Utc>,
    lease: Duration,
    limit: usize,
    token: Uuid,
) -> Result<Vec<ClaimedMessage>, StoreError> {
    write(pool, "claim_messages", async |connection| {
        let claimed = sqlx::query!(
            r#"
            WITH due AS MATERIALIZED (
                SELECT id FROM outbox
                WHERE state = 'queued' AND next_attempt_time <= $1 AND expire_time > $1 AND handover_time IS NULL
                    AND (lease_expire_time IS NULL OR lease_expire_time <= $1)
                ORDER BY next_attempt_time LIMIT $2
                FOR UPDATE SKIP LOCKED
            )
            UPDATE outbox SET lease_token = $3, lease_expire_time = $4
            FROM due WHERE outbox.id = due.id
            RETURNING outbox.id, coalesce(notice, kind) AS "kind!", sealed_body AS "sealed_body!", sends, attempts, expire_time,
                lease_token AS "lease_token!""#,
            now,
            i64::try_from(limit).unwrap_or(i64::MAX),
            token,
            now + lease,
        )
        .fetch_all(connection)
        .await?;
        claimed
            .into_iter()
            .map(|row| {
                Ok(ClaimedMessage {
                    id: row.id,
                    kind: MessageKind::from_name(&row.kind).ok_or_else(|| StoreError::unknown_word("outbox.kind"))?,
                    sealed_body: row.sealed_body,
                    sends: row.sends,
                    attempts: row.attempts,
                    expire_time: row.expire_time,
                    lease_token: row.lease_token,
                })
            })
            .collect()
    })
    .await
}

/// Queues a notice as part of the transaction that causes it.
///
/// To the previous version, which may send it, every such notice is a `hold_passed`; `notice` says what it is.
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

/// Records that the gateway did not take the message this time.
pub async fn schedule_retry(
    pool: &PgPool,
    message: &ClaimedMessage,
    next_attempt_time: DateTime<Utc>,
    reason: &str,
) -> Result<(), StoreError> {
    write(pool, "retry_message_later", async |connection| {
        sqlx::query!(
            "UPDATE outbox SET next_attempt_time = $3, last_error = $4, handover_time = NULL,
                lease_token = NULL, lease_expire_time = NULL
            WHERE id = $1 AND lease_token = $2 AND (state = 'queued') IS TRUE",
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

/// Records that the message will not be handed over again. A PIN's body stays while R5 allows a further send.
pub async fn record_failure(pool: &PgPool, message: &ClaimedMessage, reason: &str) -> Result<(), StoreError> {
    write(pool, "message_failed", async |connection| {
        sqlx::query!(
            "UPDATE outbox SET state = 'failed', last_error = $3, handover_time = NULL,
                sealed_body = CASE WHEN kind = 'pin' AND NOT last_send THEN sealed_body END, lease_token = NULL, lease_expire_time = NULL
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

/// Settles the messages whose lease ran out during the hand-over: a PIN is given up, because it may have gone out; a
/// notice is due again, because a warning twice does less harm than none. The lease's token stays: see [`Handovers::record_acceptance`](super::handovers::Handovers::record_acceptance).
pub async fn settle_lost_handovers(pool: &PgPool, now: DateTime<Utc>) -> Result<u64, StoreError> {
    write(pool, "settle_lost_messages", async |connection| {
        let lost = sqlx::query!(
            "UPDATE outbox SET last_error = 'outcome unknown',
                state = CASE kind WHEN 'pin' THEN 'failed' ELSE state END,
                sealed_body = CASE WHEN kind = 'pin' AND last_send THEN NULL ELSE sealed_body END,
                handover_time = CASE kind WHEN 'pin' THEN handover_time END
            WHERE state = 'queued' AND handover_time IS NOT NULL AND lease_expire_time <= $1",
            now,
        )
        .execute(connection)
        .await?;
        Ok(lost.rows_affected())
    })
    .await
}

/// Erases the bodies of expired messages. What was still queued has expired unsent.
pub async fn erase_expired(pool: &PgPool, now: DateTime<Utc>) -> Result<u64, StoreError> {
    write(pool, "expire_messages", async |connection| {
        let expired = sqlx::query!(
            "UPDATE outbox SET sealed_body = NULL, state = CASE state WHEN 'queued' THEN 'expired' ELSE state END
            WHERE expire_time <= $1 AND sealed_body IS NOT NULL
                AND NOT (state = 'queued' AND handover_time IS NOT NULL)",
            now,
        )
        .execute(connection)
        .await?;
        Ok(expired.rows_affected())
    })
    .await
}

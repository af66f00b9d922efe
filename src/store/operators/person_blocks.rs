//! The table `person_blocks`: persons who get no PIN, and the transactions that block and unblock them (R9).

use chrono::{DateTime, Utc};
use sqlx::{Connection as _, PgConnection, PgPool};

use crate::domain::audit::Action;
use crate::domain::person::PersonKey;
use crate::store::audit::audit_events::{Actor, NewAuditEvent, record_in_transaction};
use crate::store::connections::{StoreError, read, write};
use crate::store::locks::{lock_blocking, lock_inserts, lock_open_access_request, lock_open_pin};
use crate::store::messages::Notice;
use crate::store::parameters::to_bytea_array;
use crate::store::withdrawal::{Withdrawal, cancel_in_transaction, revoke_in_transaction};

/// An order to block or unblock a person.
pub struct BlockOrder<'a> {
    /// Every known pseudonym of the person, at least one. The first is the one that PINs are issued to.
    pub keys: &'a [PersonKey],
    /// Name of the operator.
    pub operator: &'a str,
    pub reason: &'a str,
    pub now: DateTime<Utc>,
}

/// What the person is told if the block withdraws something.
#[derive(Clone, Copy, Default)]
pub struct BlockNotices<'a> {
    /// Sent if an open PIN was revoked.
    pub pin_revoked: Option<&'a Notice>,
    /// Sent if an open access request was cancelled.
    pub access_cancelled: Option<&'a Notice>,
}

/// The outcome of blocking a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockOutcome {
    /// `false`: the person was blocked already.
    pub is_new: bool,
    /// Whether an open PIN was revoked.
    pub pin_revoked: bool,
    /// Whether an open access request was cancelled.
    pub access_cancelled: bool,
}

/// A stored block of a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonBlock {
    pub block_time: DateTime<Utc>,
    /// The operator's reason.
    pub reason: String,
}

/// Blocks the person, revokes the open PIN and cancels the open access request: all or nothing, audited. Once this has
/// committed, no PIN can be issued to the person.
pub async fn block_person(
    pool: &PgPool,
    order: &BlockOrder<'_>,
    notices: BlockNotices<'_>,
) -> Result<BlockOutcome, StoreError> {
    write(pool, "block_person", async |connection| {
        let mut transaction = connection.begin().await?;
        let outcome = block_in_transaction(&mut transaction, order, notices).await?;
        transaction.commit().await?;
        Ok(outcome)
    })
    .await
}

async fn block_in_transaction(
    connection: &mut PgConnection,
    order: &BlockOrder<'_>,
    notices: BlockNotices<'_>,
) -> Result<BlockOutcome, StoreError> {
    let BlockOrder { keys, operator, reason, now } = *order;
    let person = current_pseudonym(keys)?;
    // One block of a person at a time. Two could deadlock: if a PIN is issued after the first has locked the rows below, the
    // second locks that PIN and waits for the first at the lock on inserts, while the first waits for the PIN.
    lock_blocking(connection, person).await?;
    // First the rows, then the lock on inserts: the issue statement takes them in this order too (refuse_blocked in
    // 0002_operator.sql).
    lock_open_access_request(connection, person).await?;
    lock_open_pin(connection, person).await?;
    lock_inserts(connection, person).await?;
    let inserted = sqlx::query!(
        "INSERT INTO person_blocks (person_key, block_time, reason)
        SELECT key, $2, $3 FROM unnest($1::bytea[]) AS key ORDER BY key
        ON CONFLICT (person_key) DO NOTHING",
        &to_bytea_array(keys),
        now,
        reason,
    )
    .execute(&mut *connection)
    .await?;
    let actor = Actor::Operator(operator);
    let is_new = inserted.rows_affected() > 0;
    if is_new {
        let event = NewAuditEvent { now, person, action: Action::PersonBlocked, actor, reason, subject: None };
        record_in_transaction(connection, &event).await?;
    }
    let withdrawal = |notice| Withdrawal { person, actor, reason, notice, now };
    Ok(BlockOutcome {
        is_new,
        access_cancelled: cancel_in_transaction(connection, &withdrawal(notices.access_cancelled)).await?,
        pin_revoked: revoke_in_transaction(connection, &withdrawal(notices.pin_revoked)).await?,
    })
}

/// Ends the block, audited. Returns whether there was one.
pub async fn unblock_person(pool: &PgPool, order: &BlockOrder<'_>) -> Result<bool, StoreError> {
    write(pool, "unblock_person", async |connection| {
        let BlockOrder { keys, operator, reason, now } = *order;
        let person = current_pseudonym(keys)?;
        let mut transaction = connection.begin().await?;
        let deleted = sqlx::query!("DELETE FROM person_blocks WHERE person_key = ANY ($1)", &to_bytea_array(keys))
            .execute(&mut *transaction)
            .await?;
        let was_blocked = deleted.rows_affected() > 0;
        if was_blocked {
            let (action, actor) = (Action::PersonUnblocked, Actor::Operator(operator));
            let event = NewAuditEvent { now, person, action, actor, reason, subject: None };
            record_in_transaction(&mut transaction, &event).await?;
        }
        transaction.commit().await?;
        Ok(was_blocked)
    })
    .await
}

fn current_pseudonym(keys: &[PersonKey]) -> Result<PersonKey, StoreError> {
    keys.first().copied().ok_or_else(|| StoreError::Internal("a person without a pseudonym".into()))
}

/// Finds the block of the person with these pseudonyms.
pub async fn find_block(pool: &PgPool, keys: &[PersonKey]) -> Result<Option<PersonBlock>, StoreError> {
    read(pool, "current_person_block", async |connection| {
        Ok(sqlx::query_as!(
            PersonBlock,
            "SELECT block_time, reason FROM person_blocks WHERE person_key = ANY ($1) ORDER BY block_time LIMIT 1",
            &to_bytea_array(keys),
        )
        .fetch_optional(connection)
        .await?)
    })
    .await
}

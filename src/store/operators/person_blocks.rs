//! The table `person_blocks`: who gets no PIN, and the transactions that block and unblock (R9).

use chrono::{DateTime, Utc};
use sqlx::{Connection as _, PgConnection, PgPool};

use crate::domain::audit::Action;
use crate::domain::person::PersonKey;
use crate::store::audit::audit_events::{Actor, NewAuditEvent, record_in};
use crate::store::connections::{StoreError, read, write};
use crate::store::locks::{lock_blocking, lock_inserts};
use crate::store::messages::outbox::Notice;
use crate::store::parameters::pseudonyms;
use crate::store::withdrawal::{Withdrawal, cancel_in_transaction, revoke_in_transaction};

/// An order to block or unblock.
pub struct BlockOrder<'a> {
    /// Every pseudonym of the person that is known, at least one; the first is the one that PINs are issued to.
    pub keys: &'a [PersonKey],
    /// Name of the operator.
    pub operator: &'a str,
    /// Why.
    pub reason: &'a str,
    /// The time of the order.
    pub now: DateTime<Utc>,
}

/// What the person is told when the block ends something.
#[derive(Clone, Copy, Default)]
pub struct BlockNotices<'a> {
    /// An open PIN.
    pub pin_revoked: Option<&'a Notice>,
    /// An open request for access.
    pub access_cancelled: Option<&'a Notice>,
}

/// What blocking has done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Blocked {
    /// Whether the block is new.
    pub is_new: bool,
    /// Whether an open PIN was revoked.
    pub pin_revoked: bool,
    /// Whether an open request for access was cancelled.
    pub access_cancelled: bool,
}

/// A block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// Since when.
    pub block_time: DateTime<Utc>,
    /// The operator's reason.
    pub reason: String,
}

/// Blocks the person, and ends the open PIN and the open request for access: all or nothing, audited. No PIN is issued
/// to the person by whatever commits after this.
pub async fn block_person(
    pool: &PgPool,
    order: &BlockOrder<'_>,
    notices: BlockNotices<'_>,
) -> Result<Blocked, StoreError> {
    write(pool, "block_person", async |connection| {
        let mut transaction = connection.begin().await?;
        let blocked = block_in(&mut transaction, order, notices).await?;
        transaction.commit().await?;
        Ok(blocked)
    })
    .await
}

async fn block_in(
    connection: &mut PgConnection,
    order: &BlockOrder<'_>,
    notices: BlockNotices<'_>,
) -> Result<Blocked, StoreError> {
    let BlockOrder { keys, operator, reason, now } = *order;
    let Some(&person) = keys.first() else { return Err(StoreError::Internal("a person without a pseudonym".into())) };
    // One block of a person at a time: two would each hold what the other waits for, when a PIN comes after the first has
    // looked for one.
    lock_blocking(connection, person).await?;
    // Rows before the lock, as whoever issues has them when it comes to the lock: see 0002_operator.sql.
    sqlx::query!("SELECT FROM access_requests WHERE person_key = $1 AND state = 'open' FOR UPDATE", &person.0)
        .execute(&mut *connection)
        .await?;
    sqlx::query!("SELECT FROM pin_requests WHERE person_key = $1 AND state = 'open' FOR UPDATE", &person.0)
        .execute(&mut *connection)
        .await?;
    lock_inserts(connection, person).await?;
    let inserted = sqlx::query!(
        "INSERT INTO person_blocks (person_key, block_time, reason)
        SELECT key, $2, $3 FROM unnest($1::bytea[]) AS key ORDER BY key
        ON CONFLICT (person_key) DO NOTHING",
        &pseudonyms(keys),
        now,
        reason,
    )
    .execute(&mut *connection)
    .await?;
    let actor = Actor::Operator(operator);
    let is_new = inserted.rows_affected() > 0;
    if is_new {
        record_in(
            connection,
            &NewAuditEvent { now, person, action: Action::PersonBlocked, actor, reason, about: None },
        )
        .await?;
    }
    let withdrawal = |notice| Withdrawal { person, actor, reason, notice, now };
    Ok(Blocked {
        is_new,
        access_cancelled: cancel_in_transaction(connection, &withdrawal(notices.access_cancelled)).await?,
        pin_revoked: revoke_in_transaction(connection, &withdrawal(notices.pin_revoked)).await?,
    })
}

/// Ends the block, audited. Says whether there was one.
pub async fn unblock_person(pool: &PgPool, order: &BlockOrder<'_>) -> Result<bool, StoreError> {
    write(pool, "unblock_person", async |connection| {
        let BlockOrder { keys, operator, reason, now } = *order;
        let Some(&person) = keys.first() else {
            return Err(StoreError::Internal("a person without a pseudonym".into()));
        };
        let mut transaction = connection.begin().await?;
        let deleted = sqlx::query!("DELETE FROM person_blocks WHERE person_key = ANY ($1)", &pseudonyms(keys))
            .execute(&mut *transaction)
            .await?;
        let was_blocked = deleted.rows_affected() > 0;
        if was_blocked {
            let (action, actor) = (Action::PersonUnblocked, Actor::Operator(operator));
            let event = NewAuditEvent { now, person, action, actor, reason, about: None };
            record_in(&mut transaction, &event).await?;
        }
        transaction.commit().await?;
        Ok(was_blocked)
    })
    .await
}

/// The block of somebody known under these pseudonyms, if there is one.
pub async fn find_block(pool: &PgPool, keys: &[PersonKey]) -> Result<Option<Block>, StoreError> {
    read(pool, "current_person_block", async |connection| {
        Ok(sqlx::query_as!(
            Block,
            "SELECT block_time, reason FROM person_blocks WHERE person_key = ANY ($1) ORDER BY block_time LIMIT 1",
            &pseudonyms(keys),
        )
        .fetch_optional(connection)
        .await?)
    })
    .await
}

//! Postgres' advisory locks: what each protects, and its numbers.
//!
//! A lock is named either by two numbers, a class and an object, or by one number of 64 bits. The two kinds never collide.
//! Locks of one number are those of [`lock_persons`] and of the grants (`connections/rights.rs`).

use sqlx::{PgConnection, PgTransaction};

use super::StoreError;
use crate::domain::person::PersonKey;

/// Class and object of the lock of the process that appends audit seals.
const AUDIT_SEALING: (i32, i32) = (1, 0);

/// Class of the lock between a block of a person and inserts of rows that a blocked person must not have. The object is
/// `block_lock(person_key)`.
///
/// Inserts of PIN requests and access requests take the lock shared and then check blocks; a block takes it exclusively. So
/// a new row is either rejected or visible to the block. The trigger function `refuse_blocked` (0002_operator.sql) holds
/// the same number; tests/store/locks.rs compares the two.
pub const INSERT_OR_BLOCK_CLASS: i32 = 2;

/// Class of the lock that lets one block of a person run at a time. The object is `block_lock(person_key)`.
const BLOCKING_CLASS: i32 = 3;

/// Class and object of the lock on the pseudonym key. Each connection of an instance shares it; re-keying takes it
/// exclusively.
const PSEUDONYM_KEY: (i32, i32) = (4, 0);

/// Class of the lock that lets one deciding transaction of a person run at a time (`issuing/decide_order.rs`). The object is
/// `block_lock(person_key)`.
const ORDERS_CLASS: i32 = 5;

/// Tries to lock the chain of audit seals until the transaction ends. `false`: another process is appending seals.
pub(super) async fn try_lock_audit_sealing(transaction: &mut PgTransaction<'_>) -> Result<bool, StoreError> {
    let (class, object) = AUDIT_SEALING;
    Ok(sqlx::query_scalar!(r#"SELECT pg_try_advisory_xact_lock($1, $2) AS "is_locked!""#, class, object)
        .fetch_one(&mut **transaction)
        .await?)
}

/// Waits until no other transaction is blocking this person.
pub(super) async fn lock_blocking(connection: &mut PgConnection, person: PersonKey) -> Result<(), StoreError> {
    Ok(lock_by_person(connection, BLOCKING_CLASS, person).await?)
}

/// Waits until no transaction is inserting a PIN request or access request of this person, and keeps others from doing so
/// until this transaction ends.
pub(super) async fn lock_inserts(connection: &mut PgConnection, person: PersonKey) -> Result<(), StoreError> {
    Ok(lock_by_person(connection, INSERT_OR_BLOCK_CLASS, person).await?)
}

/// Waits until no other transaction decides about an order of this person.
pub(super) async fn lock_orders(connection: &mut PgConnection, person: PersonKey) -> Result<(), sqlx::Error> {
    lock_by_person(connection, ORDERS_CLASS, person).await
}

/// Locks the row of the person's open access request, if there is one. Before [`lock_open_pin`], so that no two transactions
/// deadlock.
pub(super) async fn lock_open_access_request(
    connection: &mut PgConnection,
    person: PersonKey,
) -> Result<(), sqlx::Error> {
    sqlx::query!("SELECT FROM access_requests WHERE person_key = $1 AND state = 'open' FOR UPDATE", &person.0)
        .execute(connection)
        .await?;
    Ok(())
}

/// Locks the row of the person's open PIN, even if it has expired.
pub(super) async fn lock_open_pin(connection: &mut PgConnection, person: PersonKey) -> Result<(), sqlx::Error> {
    sqlx::query!("SELECT FROM pin_requests WHERE person_key = $1 AND state = 'open' FOR UPDATE", &person.0)
        .execute(connection)
        .await?;
    Ok(())
}

async fn lock_by_person(connection: &mut PgConnection, class: i32, person: PersonKey) -> Result<(), sqlx::Error> {
    sqlx::query!("SELECT pg_advisory_xact_lock($1, block_lock($2))", class, &person.0).execute(connection).await?;
    Ok(())
}

/// Makes other transactions that lock any of these persons here wait until this one ends.
pub(super) async fn lock_persons(
    transaction: &mut PgTransaction<'_>,
    persons: impl Iterator<Item = PersonKey>,
) -> Result<(), StoreError> {
    // The first eight bytes of the pseudonym. If two persons share them, which is rare, one only waits for the other.
    let mut keys: Vec<i64> =
        persons.filter_map(|person| person.0.first_chunk().map(|bytes| i64::from_be_bytes(*bytes))).collect();
    // All transactions lock in the same order, so that they cannot deadlock.
    keys.sort_unstable();
    sqlx::query!("SELECT pg_advisory_xact_lock(key) FROM unnest($1::bigint[]) AS key", &keys)
        .execute(&mut **transaction)
        .await?;
    Ok(())
}

/// Tries to share the lock on the pseudonym key until the connection closes. `false`: a re-keying has it.
pub(super) async fn try_share_pseudonym_key(connection: &mut PgConnection) -> sqlx::Result<bool> {
    let (class, object) = PSEUDONYM_KEY;
    sqlx::query_scalar("SELECT pg_try_advisory_lock_shared($1, $2)")
        .bind(class)
        .bind(object)
        .fetch_one(connection)
        .await
}

/// Tries to lock the pseudonym key until the connection closes. `false`: instances are connected, or another
/// re-keying has it.
pub(super) async fn try_lock_pseudonym_key(connection: &mut PgConnection) -> sqlx::Result<bool> {
    let (class, object) = PSEUDONYM_KEY;
    sqlx::query_scalar("SELECT pg_try_advisory_lock($1, $2)").bind(class).bind(object).fetch_one(connection).await
}

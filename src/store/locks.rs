//! Postgres' advisory locks: what each protects, and under which numbers.
//!
//! A lock is named by two numbers, a class and an object, or by one number of 64 bits. The two kinds never collide.

use sqlx::{PgConnection, PgTransaction};

use super::StoreError;
use crate::domain::person::PersonKey;

/// Class and object of the lock of whoever appends to the chain of audit seals: one at a time.
const AUDIT_SEALING: (i32, i32) = (1, 0);

/// Class of the lock between a block and the rows that it must not miss. The object is `block_lock(person_key)`.
///
/// Inserts of PIN requests and access requests take it shared, in the trigger `refuse_blocked` (0002_operator.sql), and
/// then check for a block. A block takes it exclusively. So a new row is either rejected or visible to the block.
pub const BLOCK_VERSUS_INSERT_CLASS: i32 = 2;

/// Class of the lock that lets one block of a person run at a time. The object is `block_lock(person_key)`.
const BLOCKING_CLASS: i32 = 3;

/// Class and object of the lock on the pseudonym key: each connection of an instance shares it, re-keying takes it
/// exclusively.
pub(super) const PSEUDONYM_KEY: (i32, i32) = (4, 0);

/// Tries to become the one that appends audit seals, until the end of the transaction. `false`: another one is at it.
pub(super) async fn try_lock_audit_sealing(transaction: &mut PgTransaction<'_>) -> Result<bool, StoreError> {
    let (class, object) = AUDIT_SEALING;
    Ok(sqlx::query_scalar!(r#"SELECT pg_try_advisory_xact_lock($1, $2) AS "is_locked!""#, class, object)
        .fetch_one(&mut **transaction)
        .await?)
}

/// Waits until no other transaction blocks this person.
pub(super) async fn lock_blocking(connection: &mut PgConnection, person: PersonKey) -> Result<(), StoreError> {
    lock_by_person(connection, BLOCKING_CLASS, person).await
}

/// Waits until no transaction has a PIN request or access request of this person half inserted, and lets none insert one
/// until this transaction ends.
pub(super) async fn lock_inserts(connection: &mut PgConnection, person: PersonKey) -> Result<(), StoreError> {
    lock_by_person(connection, BLOCK_VERSUS_INSERT_CLASS, person).await
}

async fn lock_by_person(connection: &mut PgConnection, class: i32, person: PersonKey) -> Result<(), StoreError> {
    sqlx::query!("SELECT pg_advisory_xact_lock($1, block_lock($2))", class, &person.0).execute(connection).await?;
    Ok(())
}

/// Makes transactions about the same persons wait for each other until this one ends.
pub(super) async fn lock_persons(
    transaction: &mut PgTransaction<'_>,
    persons: impl Iterator<Item = PersonKey>,
) -> Result<(), StoreError> {
    // The first eight bytes of the pseudonym. Two persons rarely share them, and then one only waits for the other.
    let mut keys: Vec<i64> =
        persons.filter_map(|person| person.0.first_chunk().map(|bytes| i64::from_be_bytes(*bytes))).collect();
    // All transactions lock in the same order, so that no two of them deadlock.
    keys.sort_unstable();
    sqlx::query!("SELECT pg_advisory_xact_lock(key) FROM unnest($1::bigint[]) AS key", &keys)
        .execute(&mut **transaction)
        .await?;
    Ok(())
}

//! Postgres: the truth. One file per table or transaction, SQL visible.
//!
//! SQL holds guards and counts, no rules of its own: figures, times, ids and verdicts are arguments. Persons, mobile
//! numbers and agents appear as pseudonyms only.

pub mod access_request_records;
pub mod access_requests;
pub mod answer_rounds;
pub mod audit_events;
pub mod audit_horizon;
pub mod audit_seals;
pub mod cancel_access_request;
pub mod handovers;
pub mod issue_temporary_pin;
pub mod outbox;
pub mod person_blocks;
pub mod person_limits;
pub mod pin_request_records;
pub mod pin_requests;
pub mod purge;
pub mod redeem_temporary_pin;
pub mod rekey;
pub mod revoke_temporary_pin;
pub mod rights;
pub mod standing;
pub mod verifications;
pub mod withdrawal;

mod connection;
mod error;
mod pool;
mod pseudonym_keys;
mod relay;

use std::time::Duration;

use sqlx::PgTransaction;
use sqlx::postgres::types::PgInterval;

use crate::domain::person::PersonKey;

use connection::{read, run};

pub use connection::LONGEST_STATEMENT;
pub use error::StoreError;
pub use pool::{PLANS, PoolSettings, connect, migrate, schema_is_current};
pub use pseudonym_keys::connect_instance;

/// A span of time as Postgres takes it. Spans of settings are far below the greatest, some 292,000 years.
fn interval(span: Duration) -> PgInterval {
    PgInterval { months: 0, days: 0, microseconds: i64::try_from(span.as_micros()).unwrap_or(i64::MAX) }
}

/// Pseudonyms as Postgres takes them.
fn pseudonyms(keys: &[PersonKey]) -> Vec<Vec<u8>> {
    keys.iter().map(|key| key.0.to_vec()).collect()
}

/// The pseudonyms of several persons as Postgres takes them: each with the number of its person, from 1.
fn numbered_pseudonyms<'a>(persons: impl Iterator<Item = &'a [PersonKey]>) -> (Vec<i64>, Vec<&'a [u8]>) {
    (1..).zip(persons).flat_map(|(number, keys)| keys.iter().map(move |key| (number, key.0.as_slice()))).unzip()
}

/// Makes transactions about the same persons wait for each other until this one ends.
async fn lock_keys(
    transaction: &mut PgTransaction<'_>,
    persons: impl Iterator<Item = PersonKey>,
) -> Result<(), StoreError> {
    // Eight bytes of a pseudonym: that two persons share them is rare and only makes one wait.
    let mut keys: Vec<i64> =
        persons.filter_map(|person| person.0.first_chunk().map(|bytes| i64::from_be_bytes(*bytes))).collect();
    // One order for all, so that no two wait for each other.
    keys.sort_unstable();
    sqlx::query!("SELECT pg_advisory_xact_lock(key) FROM unnest($1::bigint[]) AS key", &keys)
        .execute(&mut **transaction)
        .await?;
    Ok(())
}

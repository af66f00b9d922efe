//! The table `audit_seals`: appends seals over audit events, and over purges of them. `crate::audit` says how and why.

use chrono::{DateTime, Utc};
use sqlx::{Connection as _, PgConnection, PgPool, PgTransaction};

use super::audit_horizon::Horizon;
use super::sealed_events::{AuditRows, Unsealed, count_unsealed, list_events};
use crate::store::connections::{StoreError, write};
use crate::store::locks::try_lock_audit_sealing;
use crate::store::parameters::to_interval;

/// How many events one seal covers.
const MAX_EVENTS_PER_SEAL: i64 = 1000;

/// How many seals' events one transaction of the purge deletes.
const MAX_SEALS_PER_PURGE: i64 = 10;

/// A row of `audit_seals`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seal {
    /// The place in the chain, from 1, without gaps.
    pub number: i64,
    /// The version of the form in which rows and seals are written down to be sealed.
    pub version: i16,
    pub seal_time: DateTime<Utc>,
    /// The seal covers the ids of events above this one …
    pub after_event_id: i64,
    /// … up to this one.
    pub last_event_id: i64,
    /// How many events it covers.
    pub event_count: i32,
    /// The latest time among its events.
    pub last_event_time: Option<DateTime<Utc>>,
    /// Every event until then is sealed. `None`: more events were waiting.
    pub complete_time: Option<DateTime<Utc>>,
    /// For each event its id and digests. `None`: its events were purged, or it covers none.
    pub entries: Option<Vec<u8>>,
    /// Stays when `entries` is erased.
    pub entries_digest: Vec<u8>,
    /// Set in a seal that covers no events but records that those up to this id were purged.
    pub purged_to: Option<i64>,
    /// The MAC of the previous seal.
    pub previous_mac: Vec<u8>,
    /// The key of the MAC.
    pub key_id: i32,
    /// The MAC over all fields above.
    pub mac: Vec<u8>,
}

/// Seals the next events up to a horizon whose writers have ended, at most [`MAX_EVENTS_PER_SEAL`].
///
/// `make` makes the seal from the previous one and the events. It gets `true` if these are all events up to the horizon. It fails
/// if the previous seal is not genuine. `None`: there are no such events, or another process is sealing.
pub async fn seal_events(
    pool: &PgPool,
    horizon: &Horizon,
    make: impl Fn(Option<&Seal>, &[AuditRows], bool) -> Result<Seal, StoreError>,
) -> Result<Option<Seal>, StoreError> {
    write(pool, "seal_audit", async |connection| {
        let mut transaction = connection.begin().await?;
        let sealed = if try_lock_audit_sealing(&mut transaction).await? {
            seal_in_transaction(&mut transaction, horizon.last_event_id, make).await?
        } else {
            None
        };
        // Also if nothing was done: a transaction that is only dropped keeps the lock for a while.
        transaction.commit().await?;
        Ok(sealed)
    })
    .await
}

async fn seal_in_transaction(
    transaction: &mut PgTransaction<'_>,
    last_event_id: i64,
    make: impl Fn(Option<&Seal>, &[AuditRows], bool) -> Result<Seal, StoreError>,
) -> Result<Option<Seal>, StoreError> {
    let previous = read_last_seal(transaction).await?;
    let after = previous.as_ref().map_or(0, |seal| seal.last_event_id);
    let events = list_events(transaction, after, last_event_id, MAX_EVENTS_PER_SEAL).await?;
    if events.is_empty() {
        return Ok(None);
    }
    let is_full = events.len() >= usize::try_from(MAX_EVENTS_PER_SEAL).unwrap_or(usize::MAX);
    let seal = make(previous.as_ref(), &events, !is_full)?;
    insert(transaction, &seal).await?;
    Ok(Some(seal))
}

/// Deletes events from before `before`, in whole sealed batches, as far as the owner's `audit_retention` allows. Returns how
/// many events it deleted.
///
/// `make` makes the seal that records the purge, from the last seal and the last id that is deleted. It fails if the last seal is
/// not genuine. `None`: there are no
/// such events, or another process is sealing.
pub async fn purge_sealed_events(
    pool: &PgPool,
    before: DateTime<Utc>,
    make: impl Fn(&Seal, i64) -> Result<Seal, StoreError>,
) -> Result<Option<u64>, StoreError> {
    write(pool, "purge_audit", async |connection| {
        let mut transaction = connection.begin().await?;
        let deleted = if try_lock_audit_sealing(&mut transaction).await? {
            purge_in_transaction(&mut transaction, before, make).await?
        } else {
            None
        };
        // Also if nothing was done: a transaction that is only dropped keeps the lock for a while.
        transaction.commit().await?;
        Ok(deleted)
    })
    .await
}

async fn purge_in_transaction(
    transaction: &mut PgTransaction<'_>,
    before: DateTime<Utc>,
    make: impl Fn(&Seal, i64) -> Result<Seal, StoreError>,
) -> Result<Option<u64>, StoreError> {
    let kept = sqlx::query!(
        r#"SELECT last_event_id, last_event_time < $1 AND last_event_time < clock_timestamp() - kept_for AS "is_old!"
        FROM audit_seals, audit_retention WHERE entries IS NOT NULL ORDER BY number LIMIT $2"#,
        before,
        MAX_SEALS_PER_PURGE,
    )
    .fetch_all(&mut **transaction)
    .await?;
    let last = kept.iter().take_while(|seal| seal.is_old).last();
    let (Some(last), Some(last_seal)) = (last, read_last_seal(transaction).await?) else { return Ok(None) };
    insert(transaction, &make(&last_seal, last.last_event_id)?).await?;
    let deleted = sqlx::query_scalar!(r#"SELECT purge_audit($1) AS "deleted!""#, last.last_event_id)
        .fetch_one(&mut **transaction)
        .await?;
    Ok(Some(deleted.unsigned_abs()))
}

/// Sets how long audit rows are kept at least. For the owner of the table only.
pub async fn set_retention(pool: &PgPool, span: std::time::Duration) -> Result<(), StoreError> {
    write(pool, "audit_retention", async |connection| {
        sqlx::query!("UPDATE audit_retention SET kept_for = $1", to_interval(span)).execute(connection).await?;
        Ok(())
    })
    .await
}

/// Counts the events after the last seal.
pub async fn count_waiting(pool: &PgPool) -> Result<Unsealed, StoreError> {
    write(pool, "audit_waiting", async |connection| {
        let last_seal = read_last_seal(connection).await?;
        count_unsealed(connection, last_seal.map_or(0, |seal| seal.last_event_id)).await
    })
    .await
}

/// Reads the last seal of the chain.
async fn read_last_seal(connection: &mut PgConnection) -> Result<Option<Seal>, StoreError> {
    Ok(sqlx::query_as!(Seal, "SELECT * FROM audit_seals ORDER BY number DESC LIMIT 1")
        .fetch_optional(connection)
        .await?)
}

/// Lists up to `limit` seals from this number on, in the order of the chain.
pub async fn list_seals(connection: &mut PgConnection, number: i64, limit: i64) -> Result<Vec<Seal>, StoreError> {
    Ok(sqlx::query_as!(Seal, "SELECT * FROM audit_seals WHERE number >= $1 ORDER BY number LIMIT $2", number, limit)
        .fetch_all(connection)
        .await?)
}

/// Lists the seals that record purges, the latest first, at most 1000.
pub async fn list_purge_seals(connection: &mut PgConnection) -> Result<Vec<Seal>, StoreError> {
    Ok(sqlx::query_as!(Seal, "SELECT * FROM audit_seals WHERE purged_to IS NOT NULL ORDER BY number DESC LIMIT 1000")
        .fetch_all(connection)
        .await?)
}

/// Lists the seals up to whose `complete_time` nothing can be said, because a later seal was made before it: one of the two clocks
/// was wrong by more than a minute. Reads the table as a whole, so it is for `audit verify` alone.
pub async fn list_clock_disagreements(connection: &mut PgConnection) -> Result<Vec<i64>, StoreError> {
    Ok(sqlx::query_scalar(
        "SELECT number FROM (
            SELECT number, complete_time, min(seal_time) OVER (
                ORDER BY number DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
            ) AS next_time FROM audit_seals
        ) AS seals WHERE complete_time > next_time + interval '1 minute' ORDER BY number",
    )
    .fetch_all(connection)
    .await?)
}

async fn insert(transaction: &mut PgTransaction<'_>, seal: &Seal) -> Result<(), StoreError> {
    sqlx::query!(
        "INSERT INTO audit_seals (
            number, version, seal_time, after_event_id, last_event_id, event_count, last_event_time, complete_time,
            entries, entries_digest, purged_to, previous_mac, key_id, mac
        ) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
        seal.number,
        seal.version,
        seal.seal_time,
        seal.after_event_id,
        seal.last_event_id,
        seal.event_count,
        seal.last_event_time,
        seal.complete_time,
        seal.entries,
        seal.entries_digest,
        seal.purged_to,
        seal.previous_mac,
        seal.key_id,
        seal.mac,
    )
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

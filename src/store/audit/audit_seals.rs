//! The table `audit_seals`, and the audit rows that it seals (`crate::audit` says how and why).

use chrono::{DateTime, Utc};
use sqlx::{Connection as _, PgConnection, PgPool, PgTransaction};

use crate::store::audit::audit_horizon::Horizon;
use crate::store::connections::{StoreError, write};
use crate::store::locks::try_lock_audit_sealing;
use crate::store::parameters::interval;

/// Most events in one seal.
const BATCH: i64 = 1000;

/// Most seals whose events one transaction of the purge deletes.
const PURGED_SEALS: i64 = 10;

/// A row of `audit_seals`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seal {
    /// Its place in the chain, from 1.
    pub number: i64,
    /// How rows and seals are written down to be sealed.
    pub version: i16,
    /// When it was made.
    pub seal_time: DateTime<Utc>,
    /// It covers all ids of events above this one,
    pub after_event_id: i64,
    /// up to this one.
    pub last_event_id: i64,
    /// How many events it covers.
    pub event_count: i32,
    /// The latest time among them.
    pub last_event_time: Option<DateTime<Utc>>,
    /// Every event until then is sealed. `None`: more were waiting.
    pub complete_time: Option<DateTime<Utc>>,
    /// Per event its id and digests. `None`: its events were purged, or there are none.
    pub entries: Option<Vec<u8>>,
    /// What remains of the entries.
    pub entries_digest: Vec<u8>,
    /// Set in a seal that covers no events, but tells that those up to this one were purged.
    pub purged_to: Option<i64>,
    /// The MAC of the seal before.
    pub previous_mac: Vec<u8>,
    /// The key of the MAC.
    pub key_id: i32,
    /// Over all of the above.
    pub mac: Vec<u8>,
}

/// An audit event with all that belongs to it, row by row.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    missing_docs,
    reason = "the columns of audit_events, audit_agents and audit_operators, which say what they hold"
)]
pub struct AuditRows {
    pub id: i64,
    pub event_time: DateTime<Utc>,
    pub person_key: Vec<u8>,
    pub action: String,
    pub channel: Option<String>,
    pub caller: String,
    pub reason: Option<String>,
    pub verification_id: Option<uuid::Uuid>,
    pub access_request_id: Option<uuid::Uuid>,
    pub pin_request_id: Option<uuid::Uuid>,
    pub purpose: Option<String>,
    pub pseudonym_key_id: i32,
    pub agent_key: Option<Vec<u8>>,
    pub operator: Option<String>,
}

/// Seals the next events up to a horizon that has passed, at most [`BATCH`]. `make` makes the seal from the one before,
/// the events, and the last id that it covers. `None`: there are no such events, or somebody else is sealing now.
pub async fn seal_events(
    pool: &PgPool,
    horizon: &Horizon,
    make: impl Fn(Option<&Seal>, &[AuditRows], i64) -> Seal,
) -> Result<Option<Seal>, StoreError> {
    write(pool, "seal_audit", async |connection| {
        let mut transaction = connection.begin().await?;
        let sealed = if try_lock_audit_sealing(&mut transaction).await? {
            seal_in(&mut transaction, horizon.last_event_id, make).await?
        } else {
            None
        };
        transaction.commit().await?;
        Ok(sealed)
    })
    .await
}

async fn seal_in(
    transaction: &mut PgTransaction<'_>,
    last_event_id: i64,
    make: impl Fn(Option<&Seal>, &[AuditRows], i64) -> Seal,
) -> Result<Option<Seal>, StoreError> {
    let previous = head(transaction).await?;
    let after = previous.as_ref().map_or(0, |seal| seal.last_event_id);
    let events = list_events(transaction, after, last_event_id, BATCH).await?;
    let Some(last) = events.last() else { return Ok(None) };
    let is_full = events.len() >= usize::try_from(BATCH).unwrap_or(usize::MAX);
    let seal = make(previous.as_ref(), &events, if is_full { last.id } else { last_event_id });
    append(transaction, &seal).await?;
    Ok(Some(seal))
}

/// Deletes events from before `before`, if the owner's `audit_retention` allows it, in whole batches, and records it by
/// the seal that `make` makes from the last seal and the last id that goes. Returns how many events went. `None`: there
/// are no such events, or somebody else is sealing now.
pub async fn purge_sealed_events(
    pool: &PgPool,
    before: DateTime<Utc>,
    make: impl Fn(&Seal, i64) -> Seal,
) -> Result<Option<u64>, StoreError> {
    write(pool, "purge_audit", async |connection| {
        let mut transaction = connection.begin().await?;
        let deleted = if try_lock_audit_sealing(&mut transaction).await? {
            purge_in(&mut transaction, before, make).await?
        } else {
            None
        };
        transaction.commit().await?;
        Ok(deleted)
    })
    .await
}

async fn purge_in(
    transaction: &mut PgTransaction<'_>,
    before: DateTime<Utc>,
    make: impl Fn(&Seal, i64) -> Seal,
) -> Result<Option<u64>, StoreError> {
    let kept = sqlx::query!(
        r#"SELECT last_event_id, last_event_time < $1 AND last_event_time < clock_timestamp() - kept_for AS "is_old!"
        FROM audit_seals, audit_retention WHERE entries IS NOT NULL ORDER BY number LIMIT $2"#,
        before,
        PURGED_SEALS,
    )
    .fetch_all(&mut **transaction)
    .await?;
    let last = kept.iter().take_while(|seal| seal.is_old).last();
    let (Some(last), Some(head)) = (last, head(transaction).await?) else { return Ok(None) };
    append(transaction, &make(&head, last.last_event_id)).await?;
    let deleted = sqlx::query_scalar!(r#"SELECT purge_audit($1) AS "deleted!""#, last.last_event_id)
        .fetch_one(&mut **transaction)
        .await?;
    Ok(Some(deleted.unsigned_abs()))
}

/// Events that are not sealed yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unsealed {
    /// How many.
    pub events: u64,
    /// The time of the oldest.
    pub oldest: Option<DateTime<Utc>>,
}

/// The events that wait for the sealer.
pub async fn count_waiting(pool: &PgPool) -> Result<Unsealed, StoreError> {
    write(pool, "audit_waiting", async |connection| {
        let head = head(connection).await?;
        count_unsealed(connection, head.map_or(0, |seal| seal.last_event_id)).await
    })
    .await
}

/// The events after that id.
pub async fn count_unsealed(connection: &mut PgConnection, after: i64) -> Result<Unsealed, StoreError> {
    let row = sqlx::query!(
        r#"SELECT count(*) AS "count!", min(event_time) AS oldest FROM audit_events WHERE id > $1"#,
        after
    )
    .fetch_one(connection)
    .await?;
    Ok(Unsealed { events: row.count.unsigned_abs(), oldest: row.oldest })
}

/// The first event after that id which says that it is from before `time`.
pub async fn find_first_before(
    connection: &mut PgConnection,
    after: i64,
    time: DateTime<Utc>,
) -> Result<Option<(i64, DateTime<Utc>)>, StoreError> {
    let row = sqlx::query!(
        "SELECT id, event_time FROM audit_events WHERE id > $1 AND event_time < $2 ORDER BY id LIMIT 1",
        after,
        time
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.map(|row| (row.id, row.event_time)))
}

/// Sets how long audit rows are kept at least. For their owner only.
pub async fn set_retention(pool: &PgPool, span: std::time::Duration) -> Result<(), StoreError> {
    write(pool, "audit_retention", async |connection| {
        sqlx::query!("UPDATE audit_retention SET kept_for = $1", interval(span)).execute(connection).await?;
        Ok(())
    })
    .await
}

/// The last seal.
async fn head(connection: &mut PgConnection) -> Result<Option<Seal>, StoreError> {
    Ok(sqlx::query_as!(Seal, "SELECT * FROM audit_seals ORDER BY number DESC LIMIT 1")
        .fetch_optional(connection)
        .await?)
}

/// The first seals from that number on.
pub async fn list_seals(connection: &mut PgConnection, number: i64, most: i64) -> Result<Vec<Seal>, StoreError> {
    Ok(sqlx::query_as!(Seal, "SELECT * FROM audit_seals WHERE number >= $1 ORDER BY number LIMIT $2", number, most)
        .fetch_all(connection)
        .await?)
}

/// The seals that record purges, the latest first, at most 1000.
pub async fn list_purge_seals(connection: &mut PgConnection) -> Result<Vec<Seal>, StoreError> {
    Ok(sqlx::query_as!(Seal, "SELECT * FROM audit_seals WHERE purged_to IS NOT NULL ORDER BY number DESC LIMIT 1000")
        .fetch_all(connection)
        .await?)
}

/// The first events with an id above `after` up to `last`.
pub async fn list_events(
    connection: &mut PgConnection,
    after: i64,
    last: i64,
    most: i64,
) -> Result<Vec<AuditRows>, StoreError> {
    Ok(sqlx::query_as!(
        AuditRows,
        r#"SELECT id, event_time, person_key, action, channel, caller, reason, verification_id, access_request_id,
            pin_request_id, purpose, pseudonym_key_id, agent_key AS "agent_key?", operator AS "operator?"
        FROM audit_events
            -- Bounded as well, or a plan may join them from their beginnings on.
            LEFT JOIN audit_agents a ON a.audit_event_id = id AND a.audit_event_id > $1 AND a.audit_event_id <= $2
            LEFT JOIN audit_operators o ON o.audit_event_id = id AND o.audit_event_id > $1 AND o.audit_event_id <= $2
        WHERE id > $1 AND id <= $2 ORDER BY id LIMIT $3"#,
        after,
        last,
        most,
    )
    .fetch_all(connection)
    .await?)
}

async fn append(transaction: &mut PgTransaction<'_>, seal: &Seal) -> Result<(), StoreError> {
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

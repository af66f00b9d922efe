//! The last assigned id of audit events, and the transactions that are still writing events with lower ids. `crate::audit`
//! explains the use.

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgPool};

use crate::store::connections::{StoreError, write};

/// A point in the sequence of ids. Once all its writers have ended, no more events appear with ids up to `last_event_id`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Horizon {
    /// The last id that had been assigned.
    pub last_event_id: i64,
    /// A time just before `last_event_id` was read.
    pub time: DateTime<Utc>,
    /// The clock of Postgres at that time.
    pub database_time: DateTime<Utc>,
    /// The transactions that had not ended and may have been assigned an id up to `last_event_id`.
    writers: Vec<String>,
}

/// Reads the last assigned id and the transactions that are writing. `now` is the time just before the call.
pub async fn read_horizon(pool: &PgPool, now: DateTime<Utc>) -> Result<Horizon, StoreError> {
    write(pool, "audit_horizon", async |connection| {
        // In this order: a transaction that was assigned an id before the first statement is either listed by the second,
        // or has ended.
        let last = sqlx::query!(
            r#"SELECT coalesce(pg_sequence_last_value('audit_events_id_seq'), 0) AS "id!",
                clock_timestamp() AS "database_time!""#
        );
        let last = last.fetch_one(&mut *connection).await?;
        let writers = list_writers(connection).await?;
        Ok(Horizon { last_event_id: last.id, time: now, database_time: last.database_time, writers })
    })
    .await
}

/// Whether all writers of the horizon have ended.
pub async fn writers_have_ended(pool: &PgPool, horizon: &Horizon) -> Result<bool, StoreError> {
    if horizon.writers.is_empty() {
        return Ok(true);
    }
    write(pool, "audit_horizon", async |connection| {
        let current_writers = list_writers(connection).await?;
        Ok(!horizon.writers.iter().any(|writer| current_writers.contains(writer)))
    })
    .await
}

/// Lists the transactions that are writing audit events. Each of them takes a `RowExclusiveLock` on `audit_events` before it
/// is assigned an id, and releases the lock after its rows have become visible.
async fn list_writers(connection: &mut PgConnection) -> Result<Vec<String>, StoreError> {
    let writers = sqlx::query_scalar!(
        r#"SELECT DISTINCT virtualtransaction AS "writer!" FROM pg_locks
        WHERE locktype = 'relation' AND relation = 'audit_events'::regclass AND mode = 'RowExclusiveLock' AND granted
            AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"#
    );
    Ok(writers.fetch_all(connection).await?)
}

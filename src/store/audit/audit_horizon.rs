//! How far the ids of audit events have got, and who is writing some (`crate::audit` says why that matters).

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgPool};

use crate::store::connections::{StoreError, write};

/// Ids up to which every event that will ever be there is there, once the writers have ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Horizon {
    /// The last id that was handed out.
    pub last_event_id: i64,
    /// Just before that.
    pub time: DateTime<Utc>,
    /// The transactions that may have been given an id up to then and had not ended.
    writers: Vec<String>,
}

/// Looks where the ids of events stand, and who is writing. `now` is the time just before.
pub async fn read_horizon(pool: &PgPool, now: DateTime<Utc>) -> Result<Horizon, StoreError> {
    write(pool, "audit_horizon", async |connection| {
        // This order: who is given an id before the first statement is seen by the second, or has ended.
        let last_event_id =
            sqlx::query_scalar!(r#"SELECT coalesce(pg_sequence_last_value('audit_events_id_seq'), 0) AS "id!""#)
                .fetch_one(&mut *connection)
                .await?;
        Ok(Horizon { last_event_id, time: now, writers: writers(connection).await? })
    })
    .await
}

/// Whether all writers of that horizon have ended.
pub async fn writers_have_ended(pool: &PgPool, horizon: &Horizon) -> Result<bool, StoreError> {
    if horizon.writers.is_empty() {
        return Ok(true);
    }
    write(pool, "audit_horizon", async |connection| {
        let writing = writers(connection).await?;
        Ok(!horizon.writers.iter().any(|writer| writing.contains(writer)))
    })
    .await
}

/// The transactions that are writing audit events. Every writer takes this lock before it is given an id, and leaves it
/// after its rows can be seen.
async fn writers(connection: &mut PgConnection) -> Result<Vec<String>, StoreError> {
    let writers = sqlx::query_scalar!(
        r#"SELECT DISTINCT virtualtransaction AS "writer!" FROM pg_locks
        WHERE locktype = 'relation' AND relation = 'audit_events'::regclass AND mode = 'RowExclusiveLock' AND granted
            AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"#
    );
    Ok(writers.fetch_all(connection).await?)
}

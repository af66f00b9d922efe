//! Audit events as the sealer and the verification of seals read them: every column, and what is not sealed yet.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::store::connections::StoreError;

/// An audit event with its rows in `audit_agents` and `audit_operators`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRows {
    pub id: i64,
    pub event_time: DateTime<Utc>,
    pub person_key: Vec<u8>,
    pub action: String,
    pub channel: Option<String>,
    pub caller: String,
    pub reason: Option<String>,
    pub verification_id: Option<Uuid>,
    pub access_request_id: Option<Uuid>,
    pub pin_request_id: Option<Uuid>,
    pub purpose: Option<String>,
    pub pseudonym_key_id: i32,
    pub agent_key: Option<Vec<u8>>,
    pub operator: Option<String>,
}

/// The events that are not sealed yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unsealed {
    pub events: u64,
    /// The time of the oldest one.
    pub oldest: Option<DateTime<Utc>>,
}

/// Counts the events with ids above `after`.
pub async fn count_unsealed(connection: &mut PgConnection, after: i64) -> Result<Unsealed, StoreError> {
    let row = sqlx::query!(
        r#"SELECT count(*) AS "count!",
            min(event_time) FILTER (WHERE event_time BETWEEN '2000-01-01 00:00Z' AND '2200-01-01 00:00Z') AS oldest
        FROM audit_events WHERE id > $1"#,
        after
    )
    .fetch_one(connection)
    .await?;
    Ok(Unsealed { events: row.count.unsigned_abs(), oldest: row.oldest })
}

/// Finds a row of the audit with a time that no program can read, such as `infinity`. Returns its table and its id or number.
/// Reads both tables as a whole, so it is for `audit verify` alone.
pub async fn find_impossible_time(connection: &mut PgConnection) -> Result<Option<(String, i64)>, StoreError> {
    Ok(sqlx::query_as(
        "SELECT 'audit_events', id FROM audit_events
        WHERE event_time NOT BETWEEN '2000-01-01 00:00Z' AND '2200-01-01 00:00Z'
        UNION ALL
        SELECT 'audit_seals', number FROM audit_seals
        WHERE NOT (seal_time BETWEEN '2000-01-01 00:00Z' AND '2200-01-01 00:00Z'
            AND coalesce(last_event_time, seal_time) BETWEEN '2000-01-01 00:00Z' AND '2200-01-01 00:00Z'
            AND coalesce(complete_time, seal_time) BETWEEN '2000-01-01 00:00Z' AND '2200-01-01 00:00Z')
        LIMIT 1",
    )
    .fetch_optional(connection)
    .await?)
}

/// Finds the first event with an id above `after` whose own time is before `time`. Returns its id and time.
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

/// Lists up to `limit` events with ids above `after` and up to `last`, in the order of their ids.
pub async fn list_events(
    connection: &mut PgConnection,
    after: i64,
    last: i64,
    limit: i64,
) -> Result<Vec<AuditRows>, StoreError> {
    Ok(sqlx::query_as!(
        AuditRows,
        r#"SELECT id,
            -- A time that no program can read is an error here, instead of a panic in the client library.
            CASE WHEN event_time BETWEEN '2000-01-01 00:00Z' AND '2200-01-01 00:00Z' THEN event_time END AS "event_time!",
            person_key, action, channel, caller, reason, verification_id, access_request_id,
            pin_request_id, purpose, pseudonym_key_id, agent_key AS "agent_key?", operator AS "operator?"
        FROM audit_events
            -- Bounded as well; otherwise a plan may read these two tables from their beginning.
            LEFT JOIN audit_agents a ON a.audit_event_id = id AND a.audit_event_id > $1 AND a.audit_event_id <= $2
            LEFT JOIN audit_operators o ON o.audit_event_id = id AND o.audit_event_id > $1 AND o.audit_event_id <= $2
        WHERE id > $1 AND id <= $2 ORDER BY id LIMIT $3"#,
        after,
        last,
        limit,
    )
    .fetch_all(connection)
    .await?)
}

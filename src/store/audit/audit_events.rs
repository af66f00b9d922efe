//! The table `audit_events`: events of operators and of the service itself, and the list for a person. Other transactions
//! insert their events in their own statements.

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use crate::domain::audit::{Action, ProcessingPurpose};
use crate::domain::channel::Channel;
use crate::domain::person::PersonKey;
use crate::store::connections::{StoreError, read, write};
use crate::store::parameters::to_bytea_array;

/// Who acted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor<'a> {
    /// The service, while it answered this caller.
    Caller(&'a str),
    /// An operator, by the caller's name. It is stored apart from the event, because the person may see the event but not
    /// the operator.
    Operator(&'a str),
}

/// The row that an event is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventSubject {
    AccessRequest(Uuid),
    PinRequest(Uuid),
}

/// An event to record.
pub struct NewAuditEvent<'a> {
    pub now: DateTime<Utc>,
    pub person: PersonKey,
    pub action: Action,
    pub actor: Actor<'a>,
    /// An operator's reason, or a fixed word.
    pub reason: &'a str,
    pub subject: Option<EventSubject>,
}

/// Records an event in a transaction of its own.
pub async fn record(pool: &PgPool, event: &NewAuditEvent<'_>) -> Result<(), StoreError> {
    write(pool, "record_audit_event", async |connection| record_in_transaction(connection, event).await).await
}

/// Records an event as part of a larger transaction.
pub(in crate::store) async fn record_in_transaction(
    connection: &mut PgConnection,
    event: &NewAuditEvent<'_>,
) -> Result<(), StoreError> {
    let (caller, operator, purpose) = match event.actor {
        Actor::Caller(caller) => (caller, None, ProcessingPurpose::Redemption),
        Actor::Operator(operator) => ("operator", Some(operator), ProcessingPurpose::Operation),
    };
    let (access_request_id, pin_request_id) = match event.subject {
        Some(EventSubject::AccessRequest(id)) => (Some(id), None),
        Some(EventSubject::PinRequest(id)) => (None, Some(id)),
        None => (None, None),
    };
    sqlx::query!(
        "WITH event AS (
            INSERT INTO audit_events (
                event_time, person_key, action, caller, reason, purpose, access_request_id, pin_request_id
            )
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
            RETURNING id
        )
        INSERT INTO audit_operators (audit_event_id, operator)
        SELECT event.id, $9::text FROM event WHERE $9::text IS NOT NULL",
        event.now,
        &event.person.0,
        event.action.as_str(),
        caller,
        event.reason,
        purpose.as_str(),
        access_request_id,
        pin_request_id,
        operator,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// An event as its person may see it: without agent and operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEvent {
    /// Orders the events. Not for the person.
    pub id: i64,
    pub event_time: DateTime<Utc>,
    /// `None` if this version does not know the action.
    pub action: Option<Action>,
    /// `None` if it was not recorded, or this version does not know it.
    pub purpose: Option<ProcessingPurpose>,
    pub channel: Option<Channel>,
    pub reason: String,
}

/// Lists up to `limit` events of the person with these pseudonyms, the latest first. `before` is the id of an event; only
/// earlier ones are listed.
pub async fn list(
    pool: &PgPool,
    keys: &[PersonKey],
    before: Option<i64>,
    limit: usize,
) -> Result<Vec<AuditEvent>, StoreError> {
    read(pool, "list_audit_events", async |connection| {
        let rows = sqlx::query!(
            "SELECT id, event_time, action, purpose, channel, reason FROM audit_events
            WHERE person_key = ANY ($1) AND id < $2
            ORDER BY id DESC LIMIT $3",
            &to_bytea_array(keys),
            before.unwrap_or(i64::MAX),
            i64::try_from(limit).unwrap_or(i64::MAX),
        )
        .fetch_all(connection)
        .await?;
        Ok(rows
            .into_iter()
            .map(|row| AuditEvent {
                id: row.id,
                event_time: row.event_time,
                action: Action::from_name(&row.action),
                purpose: row.purpose.as_deref().and_then(ProcessingPurpose::from_name),
                channel: row.channel.as_deref().and_then(Channel::from_name),
                reason: row.reason.unwrap_or_default(),
            })
            .collect())
    })
    .await
}

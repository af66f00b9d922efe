//! The table `audit_events`, beside what other transactions write there: operators' events, and what a person may have.

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use crate::domain::audit::{Action, ProcessingPurpose};
use crate::domain::channel::Channel;
use crate::domain::person::PersonKey;
use crate::store::connections::{StoreError, read, write};
use crate::store::parameters::pseudonyms;

/// Who did it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor<'a> {
    /// The service, while it answered this caller.
    Caller(&'a str),
    /// An operator, by the caller's name. It is kept apart from the event, which the person may have.
    Operator(&'a str),
}

/// The row that an event is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventSubject {
    /// A request for access.
    AccessRequest(Uuid),
    /// A PIN request.
    PinRequest(Uuid),
}

/// An event to keep.
pub struct NewAuditEvent<'a> {
    /// When.
    pub now: DateTime<Utc>,
    /// The person.
    pub person: PersonKey,
    /// What was done.
    pub action: Action,
    /// Who did it.
    pub actor: Actor<'a>,
    /// Why: an operator's reason, or a fixed word.
    pub reason: &'a str,
    /// The row that it is about, if it is about one.
    pub about: Option<EventSubject>,
}

/// Keeps an event by itself, in a commit of its own.
pub async fn record(pool: &PgPool, event: &NewAuditEvent<'_>) -> Result<(), StoreError> {
    write(pool, "record_audit_event", async |connection| record_in(connection, event).await).await
}

/// Keeps an event as part of a transaction.
pub(in crate::store) async fn record_in(
    connection: &mut PgConnection,
    event: &NewAuditEvent<'_>,
) -> Result<(), StoreError> {
    let (caller, operator, purpose) = match event.actor {
        Actor::Caller(caller) => (caller, None, ProcessingPurpose::Redemption),
        Actor::Operator(operator) => ("operator", Some(operator), ProcessingPurpose::Operation),
    };
    let (access_request_id, pin_request_id) = match event.about {
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

/// An event as its person may have it: neither agent nor operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEvent {
    /// Its place in the order of events; not for the person.
    pub id: i64,
    /// When.
    pub event_time: DateTime<Utc>,
    /// What was done; `None` for something that this version does not know.
    pub action: Option<Action>,
    /// What for; `None` when it was not kept.
    pub purpose: Option<ProcessingPurpose>,
    /// Through which channel.
    pub channel: Option<Channel>,
    /// Why.
    pub reason: String,
}

/// Up to `limit` events of somebody known under these pseudonyms, the latest first, from before the event `before`.
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
            &pseudonyms(keys),
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

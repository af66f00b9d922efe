//! Exports the audit events of one person, for that person (GDPR article 15): time, action, purpose, reason and channel. The
//! export does not name agents or operators.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;
use sqlx::PgPool;

use crate::domain::audit::Action;
use crate::domain::person::{Person, PersonReference};
use crate::domain::stated_reason::StatedReason;
use crate::keys::KeyRing;
use crate::store::StoreError;
use crate::store::audit::audit_events::{self, Actor, AuditEvent, NewAuditEvent};

/// How many events are read from the database at a time.
const PAGE_SIZE: usize = 500;

/// The circumstances of an export, which is an audit event itself.
pub struct Export<'a> {
    /// The operator who exports. The audit stores the operator in a table of its own.
    pub operator: &'a str,
    pub reason: &'a StatedReason,
    pub now: DateTime<Utc>,
}

/// An event as a line of JSON.
#[derive(Serialize)]
struct Line<'a> {
    time: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    action: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    purpose: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    channel: Option<&'static str>,
    #[serde(skip_serializing_if = "str::is_empty")]
    reason: &'a str,
}

/// Passes a line of JSON for each event of the person to `write`, the latest event first. The export records an event of its
/// own, which is the first line.
///
/// `person`: what the register knows of `reference`. It is needed because a person with MitID has events under both
/// identifiers.
pub async fn export<E: From<StoreError>>(
    pool: &PgPool,
    keys: &KeyRing,
    reference: &PersonReference,
    person: Option<&Person>,
    export: &Export<'_>,
    mut write: impl FnMut(&str) -> Result<(), E>,
) -> Result<(), E> {
    let pseudonyms = keys.person_pseudonyms(Some(reference), person);
    let event = NewAuditEvent {
        now: export.now,
        person: pseudonyms.current[0],
        action: Action::AuditEventsLookedUp,
        actor: Actor::Operator(export.operator),
        reason: export.reason.as_str(),
        subject: None,
    };
    audit_events::record(pool, &event).await?;
    let mut before = None;
    loop {
        let page = audit_events::list(pool, &pseudonyms.ever, before, PAGE_SIZE).await?;
        for event in &page {
            write(&format_line(event))?;
        }
        match page.last() {
            Some(last) if page.len() == PAGE_SIZE => before = Some(last.id),
            _ => return Ok(()),
        }
    }
}

/// The line of JSON of an event.
fn format_line(event: &AuditEvent) -> String {
    let line = Line {
        time: event.event_time.to_rfc3339_opts(SecondsFormat::Secs, true),
        action: event.action.map(Action::as_str),
        purpose: event.purpose.map(|purpose| purpose.as_str()),
        channel: event.channel.map(|channel| channel.as_str()),
        reason: &event.reason,
    };
    serde_json::to_string(&line).expect("strings are JSON")
}

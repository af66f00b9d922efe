//! What is on record about one person, for that person: when, what, what for, why and through which channel; neither which
//! agent nor which operator.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;
use sqlx::PgPool;

use crate::domain::audit::Action;
use crate::domain::person::{Person, PersonReference};
use crate::domain::stated_reason::StatedReason;
use crate::keys::KeyRing;
use crate::store::StoreError;
use crate::store::audit::audit_events::{self, Actor, AuditEvent, NewAuditEvent};

/// Events read at once.
const PAGE: usize = 500;

/// Who exports, why and when.
pub struct Export<'a> {
    /// Who, as the audit keeps it, apart from the event.
    pub operator: &'a str,
    /// Why.
    pub reason: &'a StatedReason,
    /// The present time.
    pub now: DateTime<Utc>,
}

/// An event as its line of JSON has it.
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

/// Gives a line of JSON for each event of the person, the latest first, to `write`. Is itself an event, the first one given.
/// `person` is what the register says of the reference: somebody with MitID has events under both identifiers.
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
        about: None,
    };
    audit_events::record(pool, &event).await?;
    let mut before = None;
    loop {
        let page = audit_events::list(pool, &pseudonyms.ever, before, PAGE).await?;
        for event in &page {
            write(&line(event))?;
        }
        match page.last() {
            Some(last) if page.len() == PAGE => before = Some(last.id),
            _ => return Ok(()),
        }
    }
}

fn line(event: &AuditEvent) -> String {
    let line = Line {
        time: event.event_time.to_rfc3339_opts(SecondsFormat::Secs, true),
        action: event.action.map(Action::as_str),
        purpose: event.purpose.map(|purpose| purpose.as_str()),
        channel: event.channel.map(|channel| channel.as_str()),
        reason: &event.reason,
    };
    serde_json::to_string(&line).expect("texts and options of texts become JSON")
}

//! The kinds of tampering that `audit verify` detects.

use chrono::{DateTime, Utc};

use super::canonical::EventTable;
use super::seal::SealHead;

/// The first difference between the audit and what was sealed. `seal` is the number of a seal, `event` the id of an event.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Finding {
    /// A row was changed after it was sealed.
    #[error("{}: the row of event {event} was altered (sealed by {seal})", table.name())]
    Altered { table: EventTable, event: i64, seal: i64 },
    /// A sealed row is missing.
    #[error("{}: the row of event {event} was removed (sealed by {seal})", table.name())]
    Removed { table: EventTable, event: i64, seal: i64 },
    /// A row is new, but has an id that is already sealed.
    #[error("{}: the row of event {event} was inserted later", table.name())]
    Inserted { table: EventTable, event: i64 },
    /// A row that is not sealed yet has a time before which all events are sealed.
    #[error(
        "audit_events: the row of event {event} was inserted later, or by an instance whose clock was wrong: it says {event_time}, \
        but was not there by {by}"
    )]
    Backdated {
        event: i64,
        /// The time in the row.
        event_time: DateTime<Utc>,
        /// All events up to this time are sealed.
        by: DateTime<Utc>,
    },
    /// A time is infinite, or in a year that no program can read.
    #[error("{table}: the row {id} has a time that cannot be")]
    ImpossibleTime {
        table: String,
        /// The id of the event or the number of the seal.
        id: i64,
    },
    /// Events have not been sealed for long.
    #[error(
        "audit_events: {events} rows are not sealed, the oldest since {oldest}: no instance can seal, or they were inserted"
    )]
    Unsealed { events: u64, oldest: DateTime<Utc> },
    /// The MAC of a seal is wrong: the seal was changed, the service did not make it, or its key is not in the key ring.
    #[error("audit_seals: seal {seal} is not genuine (key {key_id})")]
    SealNotGenuine {
        seal: i64,
        /// The key that the seal names.
        key_id: i32,
    },
    /// A seal does not continue the seal before it.
    #[error("audit_seals: seal {seal} does not follow on the one before")]
    SealOutOfPlace { seal: i64 },
    /// A seal is missing.
    #[error("audit_seals: seal {seal} was removed")]
    SealRemoved { seal: i64 },
    /// Events are missing, together with the digests in their seal, and no seal records a purge of them.
    #[error("audit_events: the rows of seal {seal} were removed, with what it lists of them; no purge is on record")]
    PurgeNotRecorded { seal: i64 },
    /// The seal that the operator expected is missing.
    #[error("audit_seals: seal {0} is not there: the last seals were removed or replaced")]
    HeadRemoved(SealHead),
}

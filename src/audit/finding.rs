//! What `audit verify` can find.

use chrono::{DateTime, Utc};

use super::canonical::EventTable;
use super::seal::SealHead;

/// The first thing that is not as it was sealed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Finding {
    /// A row is not what it was.
    #[error("{}: the row of event {event} was altered (sealed by {seal})", part.table())]
    Altered {
        /// Its table.
        part: EventTable,
        /// The event.
        event: i64,
        /// The seal that covers it.
        seal: i64,
    },
    /// A row is not there any more.
    #[error("{}: the row of event {event} was removed (sealed by {seal})", part.table())]
    Removed {
        /// Its table.
        part: EventTable,
        /// The event.
        event: i64,
        /// The seal that covers it.
        seal: i64,
    },
    /// A row was not there when it would have been sealed.
    #[error("{}: the row of event {event} was inserted later", part.table())]
    Inserted {
        /// Its table.
        part: EventTable,
        /// The event.
        event: i64,
    },
    /// A row says that it is older than it can be.
    #[error(
        "audit_events: the row of event {event} was inserted later: it says {event_time}, but was not there by {by}"
    )]
    Backdated {
        /// The event.
        event: i64,
        /// What it says.
        event_time: DateTime<Utc>,
        /// When all events had been sealed.
        by: DateTime<Utc>,
    },
    /// A seal is not what it was, or is not the service's, or its key is not in the key ring.
    #[error("audit_seals: seal {seal} is not genuine (key {key_id})")]
    SealNotGenuine {
        /// Its number.
        seal: i64,
        /// The key that it names.
        key_id: i32,
    },
    /// A seal does not follow on the one before.
    #[error("audit_seals: seal {seal} does not follow on the one before")]
    SealOutOfPlace {
        /// Its number.
        seal: i64,
    },
    /// A seal is not there any more.
    #[error("audit_seals: seal {seal} was removed")]
    SealRemoved {
        /// Its number.
        seal: i64,
    },
    /// Events are gone and no seal records a purge.
    #[error("audit_events: the rows of seal {seal} were removed, with what it lists of them; no purge is on record")]
    PurgeNotRecorded {
        /// The number of the seal that covers them.
        seal: i64,
    },
    /// The seal that is known from elsewhere is not there.
    #[error("audit_seals: seal {0} is not there: the last seals were removed or replaced")]
    HeadRemoved(SealHead),
}

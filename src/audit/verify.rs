//! Walks the chain of seals and compares each row with what was sealed of it. Needs memory for one seal's events only.

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::{Connection as _, PgConnection, PgPool};

use super::Finding;
use super::canonical::EventTable;
use super::seal::{self, Entry, SealHead};
use crate::keys::KeyRing;
use crate::store::StoreError;
use crate::store::audit::audit_seals::{self, AuditRows, Seal};

/// Seals read at once.
const PAGE: i64 = 32;

/// How much earlier than its commit an event may say that it was: the length of a call and the difference of two clocks.
const LATENESS: TimeDelta = TimeDelta::minutes(10);

/// What an intact audit consists of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// The last seal; `None`: nothing is sealed yet.
    pub head: Option<SealHead>,
    /// Seals checked.
    pub seals: u64,
    /// Events checked.
    pub events: u64,
    /// Events that were purged and are on record as such.
    pub purged: u64,
    /// Events that are not sealed yet.
    pub waiting: u64,
    /// The time of the oldest of them.
    pub oldest_waiting: Option<DateTime<Utc>>,
}

/// Why the audit is not known to be intact.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// It is not.
    #[error("the audit was tampered with: {0}")]
    Tampered(#[from] Finding),
    /// It could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for VerifyError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

/// Checks all seals from the number `from` on, the first of which is taken as genuine if its MAC is, and the rows that they
/// cover. `expected` is a seal known from elsewhere, which must be there.
pub async fn verify(
    pool: &PgPool,
    keys: &KeyRing,
    from: i64,
    expected: Option<&SealHead>,
) -> Result<Report, VerifyError> {
    let mut connection = pool.acquire().await?.detach();
    sqlx::query("SET statement_timeout = 0").execute(&mut connection).await?;
    // One view of everything, so that nothing is sealed or purged between two looks.
    let mut transaction = connection.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
    let purges = audit_seals::list_purge_seals(&mut transaction).await?;
    let purged_to = purges.iter().find(|seal| seal::is_genuine(keys, seal)).and_then(|seal| seal.purged_to);
    let mut walk = Walk {
        keys,
        connection: &mut transaction,
        purged_to: purged_to.unwrap_or(i64::MIN),
        previous: None,
        complete_time: None,
        report: Report::default(),
    };
    walk.seals(from, expected).await?;
    walk.waiting().await?;
    let report = walk.report;
    transaction.rollback().await?;
    connection.close().await?;
    Ok(report)
}

struct Walk<'a> {
    keys: &'a KeyRing,
    connection: &'a mut PgConnection,
    /// Events up to here were purged, as a genuine seal says.
    purged_to: i64,
    previous: Option<Seal>,
    /// Every event until then is sealed by what was seen so far.
    complete_time: Option<DateTime<Utc>>,
    report: Report,
}

impl Walk<'_> {
    async fn seals(&mut self, from: i64, expected: Option<&SealHead>) -> Result<(), VerifyError> {
        let mut expected = expected;
        let mut next = from;
        loop {
            let page = audit_seals::list_seals(self.connection, next, PAGE).await?;
            let is_last = page.len() < usize::try_from(PAGE).unwrap_or_default();
            for seal in page {
                if seal.number != next {
                    return Err(Finding::SealRemoved { seal: next }.into());
                }
                self.seal(&seal).await?;
                expected = expected.filter(|head| **head != SealHead::from(&seal));
                next += 1;
                self.previous = Some(Seal { entries: None, ..seal });
            }
            if is_last {
                break;
            }
        }
        if self.previous.is_none() && from > 1 {
            return Err(Finding::SealRemoved { seal: from }.into());
        }
        self.report.head = self.previous.as_ref().map(SealHead::from);
        match expected {
            Some(head) => Err(Finding::HeadRemoved(head.clone()).into()),
            None => Ok(()),
        }
    }

    /// Checks a seal and the rows that it covers.
    async fn seal(&mut self, seal: &Seal) -> Result<(), VerifyError> {
        let number = seal.number;
        if !seal::is_genuine(self.keys, seal) {
            return Err(Finding::SealNotGenuine { seal: number, key_id: seal.key_id }.into());
        }
        let follows = match &self.previous {
            Some(previous) => seal.previous_mac == previous.mac && seal.after_event_id == previous.last_event_id,
            None => number > 1 || seal.previous_mac == [0; 32],
        };
        if !follows {
            return Err(Finding::SealOutOfPlace { seal: number }.into());
        }
        // No event has an id below 1.
        let after = if number == 1 { i64::MIN } else { seal.after_event_id };
        // One more than there may be, so that one too many is seen.
        let events =
            audit_seals::list_events(self.connection, after, seal.last_event_id, i64::from(seal.event_count) + 1)
                .await?;
        match &seal.entries {
            Some(entries) => self.compare(seal, entries, events)?,
            None if seal.event_count > 0 && seal.last_event_id > self.purged_to => {
                return Err(Finding::PurgeNotRecorded { seal: number }.into());
            }
            None => {
                none_left(&mut events.into_iter())?;
                self.report.purged += u64::from(seal.event_count.unsigned_abs());
            }
        }
        self.complete_time = seal.complete_time.or(self.complete_time);
        self.report.seals += 1;
        Ok(())
    }

    /// Compares the events with what the seal lists of them, both in the order of their ids.
    fn compare(&mut self, seal: &Seal, entries: &[u8], events: Vec<AuditRows>) -> Result<(), Finding> {
        let mut events = events.into_iter();
        for Entry { event_id, digests } in seal::entries(entries) {
            let (id, seal) = (event_id, seal.number);
            let event = match events.next() {
                Some(event) if event.id < id => {
                    return Err(Finding::Inserted { part: EventTable::Event, event: event.id });
                }
                Some(event) if event.id == id => event,
                _ => return Err(Finding::Removed { part: EventTable::Event, event: id, seal }),
            };
            for (part, sealed) in EventTable::ALL.into_iter().zip(digests) {
                match (sealed, part.digest(&event)) {
                    (sealed, found) if sealed == found => {}
                    (None, _) => return Err(Finding::Inserted { part, event: id }),
                    (Some(_), None) => return Err(Finding::Removed { part, event: id, seal }),
                    (Some(_), Some(_)) => return Err(Finding::Altered { part, event: id, seal }),
                }
            }
            if let Some(by) = self.complete_time.filter(|by| event.event_time < *by - LATENESS) {
                return Err(Finding::Backdated { event: id, event_time: event.event_time, by });
            }
            self.report.events += 1;
        }
        none_left(&mut events)
    }

    /// Looks at the events that are not sealed yet.
    async fn waiting(&mut self) -> Result<(), VerifyError> {
        let after = self.previous.as_ref().map_or(i64::MIN, |seal| seal.last_event_id);
        let waiting = audit_seals::count_unsealed(self.connection, after).await?;
        (self.report.waiting, self.report.oldest_waiting) = (waiting.events, waiting.oldest);
        let Some(by) = self.complete_time else { return Ok(()) };
        match audit_seals::find_first_before(self.connection, after, by - LATENESS).await? {
            Some((event, event_time)) => Err(Finding::Backdated { event, event_time, by }.into()),
            None => Ok(()),
        }
    }
}

/// Whatever is left was inserted.
fn none_left(events: &mut impl Iterator<Item = AuditRows>) -> Result<(), Finding> {
    match events.next() {
        Some(event) => Err(Finding::Inserted { part: EventTable::Event, event: event.id }),
        None => Ok(()),
    }
}

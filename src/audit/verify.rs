//! Verifies the audit: checks the chain of seals, and compares each row with its sealed digest. Memory is needed for the events
//! of one seal only.

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::{Connection as _, PgConnection, PgPool};

use super::Finding;
use super::canonical::EventTable;
use super::seal::{self, Entry, SealHead};
use crate::keys::KeyRing;
use crate::store::audit::audit_seals::{self, Seal};
use crate::store::audit::sealed_events::{self, AuditRows};
use crate::store::{self, StoreError};

/// How many seals are read from the database at a time.
const SEALS_PER_PAGE: i64 = 32;

/// How much earlier than its commit the time of an event may be: the length of a call and the difference of two clocks.
const MAX_EVENT_AGE_AT_COMMIT: TimeDelta = TimeDelta::minutes(10);

/// The size of an audit that was found intact.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// The last seal; `None` if nothing is sealed yet.
    pub head: Option<SealHead>,
    /// How many seals were checked.
    pub seals: u64,
    /// How many events were checked.
    pub events: u64,
    /// How many events were purged, with the purge recorded in the chain.
    pub purged: u64,
    /// How many events are not sealed yet.
    pub waiting: u64,
    /// The time of the oldest event that is not sealed yet.
    pub oldest_waiting: Option<DateTime<Utc>>,
    /// Seals whose time disagrees with that of a later seal: the clock of one of the instances was wrong. Events are not compared
    /// with the times of these.
    pub clock_disagreements: Vec<i64>,
}

/// Why the audit was not found intact.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    #[error("the audit was tampered with: {0}")]
    Tampered(#[from] Finding),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for VerifyError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

/// How long an event may wait for its seal. A running service seals within seconds.
const MAX_WAIT_FOR_SEAL: TimeDelta = TimeDelta::minutes(10);

/// Checks all seals from the number `from` on, and the rows that they cover. The first seal is trusted if its MAC is right.
/// `expected`: a seal that must exist, because the operator has kept its number and MAC.
pub async fn verify(
    pool: &PgPool,
    keys: &KeyRing,
    from: i64,
    expected: Option<&SealHead>,
    now: DateTime<Utc>,
) -> Result<Report, VerifyError> {
    let mut connection = store::open_for_maintenance(pool).await?;
    // One snapshot for all queries, so that nothing is sealed or purged between them.
    let mut transaction = connection.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
    if let Some((table, id)) = sealed_events::find_impossible_time(&mut transaction).await? {
        return Err(Finding::ImpossibleTime { table, id }.into());
    }
    let clock_disagreements = audit_seals::list_clock_disagreements(&mut transaction).await?;
    let purges = audit_seals::list_purge_seals(&mut transaction).await?;
    let purged_to = purges.iter().find(|seal| seal::is_genuine(keys, seal)).and_then(|seal| seal.purged_to);
    let mut walk = Walk {
        keys,
        connection: &mut transaction,
        purged_to: purged_to.unwrap_or(i64::MIN),
        previous: None,
        complete_time: None,
        report: Report { clock_disagreements, ..Report::default() },
    };
    walk.check_seals(from, expected).await?;
    walk.check_waiting(now).await?;
    let report = walk.report;
    transaction.rollback().await?;
    store::close(connection).await;
    Ok(report)
}

/// A verification in progress.
struct Walk<'a> {
    keys: &'a KeyRing,
    connection: &'a mut PgConnection,
    /// Events up to this id were purged, as a genuine seal records.
    purged_to: i64,
    /// The last seal that was checked, without its entries.
    previous: Option<Seal>,
    /// The seals checked so far cover every event up to this time.
    complete_time: Option<DateTime<Utc>>,
    report: Report,
}

impl Walk<'_> {
    /// Checks all seals from the number `from` on.
    async fn check_seals(&mut self, from: i64, expected: Option<&SealHead>) -> Result<(), VerifyError> {
        let mut expected = expected;
        let mut next = from;
        loop {
            let page = audit_seals::list_seals(self.connection, next, SEALS_PER_PAGE).await?;
            let is_last = page.len() < usize::try_from(SEALS_PER_PAGE).unwrap_or_default();
            for seal in page {
                if seal.number != next {
                    return Err(Finding::SealRemoved { seal: next }.into());
                }
                self.check_seal(&seal).await?;
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
    async fn check_seal(&mut self, seal: &Seal) -> Result<(), VerifyError> {
        let number = seal.number;
        if !seal::is_genuine(self.keys, seal) {
            return Err(Finding::SealNotGenuine { seal: number, key_id: seal.key_id }.into());
        }
        let continues_chain = match &self.previous {
            Some(previous) => seal.previous_mac == previous.mac && seal.after_event_id == previous.last_event_id,
            None => number > 1 || seal.previous_mac == [0; 32],
        };
        if !continues_chain {
            return Err(Finding::SealOutOfPlace { seal: number }.into());
        }
        // The first seal also covers ids below 1. The service never uses them, so a row with such an id was inserted.
        let after = if number == 1 { i64::MIN } else { seal.after_event_id };
        // Reads one event more than the seal covers, so that an inserted row is found.
        let events =
            sealed_events::list_events(self.connection, after, seal.last_event_id, i64::from(seal.event_count) + 1)
                .await?;
        match &seal.entries {
            Some(entries) => self.compare_events(seal, entries, events)?,
            None if seal.event_count > 0 && seal.last_event_id > self.purged_to => {
                return Err(Finding::PurgeNotRecorded { seal: number }.into());
            }
            None => {
                check_none_left(&mut events.into_iter())?;
                self.report.purged += u64::from(seal.event_count.unsigned_abs());
            }
        }
        if self.report.clock_disagreements.binary_search(&number).is_err() {
            self.complete_time = self.complete_time.max(seal.complete_time);
        }
        self.report.seals += 1;
        Ok(())
    }

    /// Compares the events with the entries of the seal. Both are in the order of the ids.
    fn compare_events(&mut self, seal: &Seal, entries: &[u8], events: Vec<AuditRows>) -> Result<(), Finding> {
        let mut events = events.into_iter();
        for Entry { event_id, digests } in seal::decode_entries(entries) {
            let (id, seal) = (event_id, seal.number);
            let event = match events.next() {
                Some(event) if event.id < id => {
                    return Err(Finding::Inserted { table: EventTable::Event, event: event.id });
                }
                Some(event) if event.id == id => event,
                _ => return Err(Finding::Removed { table: EventTable::Event, event: id, seal }),
            };
            for (table, sealed) in EventTable::ALL.into_iter().zip(digests) {
                match (sealed, table.digest(&event)) {
                    (sealed, found) if sealed == found => {}
                    (None, _) => return Err(Finding::Inserted { table, event: id }),
                    (Some(_), None) => return Err(Finding::Removed { table, event: id, seal }),
                    (Some(_), Some(_)) => return Err(Finding::Altered { table, event: id, seal }),
                }
            }
            if let Some(by) = self.complete_time.filter(|by| event.event_time < *by - MAX_EVENT_AGE_AT_COMMIT) {
                return Err(Finding::Backdated { event: id, event_time: event.event_time, by });
            }
            self.report.events += 1;
        }
        check_none_left(&mut events)
    }

    /// Checks the events that are not sealed yet.
    async fn check_waiting(&mut self, now: DateTime<Utc>) -> Result<(), VerifyError> {
        let after = self.previous.as_ref().map_or(i64::MIN, |seal| seal.last_event_id);
        let waiting = sealed_events::count_unsealed(self.connection, after).await?;
        (self.report.waiting, self.report.oldest_waiting) = (waiting.events, waiting.oldest);
        if let Some(by) = self.complete_time {
            let first = sealed_events::find_first_before(self.connection, after, by - MAX_EVENT_AGE_AT_COMMIT).await?;
            if let Some((event, event_time)) = first {
                return Err(Finding::Backdated { event, event_time, by }.into());
            }
        }
        if let Some(oldest) = waiting.oldest.filter(|oldest| *oldest < now - MAX_WAIT_FOR_SEAL) {
            return Err(Finding::Unsealed { events: waiting.events, oldest }.into());
        }
        Ok(())
    }
}

/// Fails if an event is left: it was inserted.
fn check_none_left(events: &mut impl Iterator<Item = AuditRows>) -> Result<(), Finding> {
    match events.next() {
        Some(event) => Err(Finding::Inserted { table: EventTable::Event, event: event.id }),
        None => Ok(()),
    }
}

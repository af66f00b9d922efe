//! Makes seals and checks whether a seal is genuine.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};

use super::canonical::{Digest, ENCODING_VERSION, Encoding, EventTable, sha256};
use crate::keys::KeyRing;
use crate::store::audit::audit_seals::Seal;
use crate::store::audit::sealed_events::AuditRows;

/// Length in bytes of a digest.
const DIGEST_LENGTH: usize = size_of::<Digest>();

/// Length in bytes of what a seal lists of one event: the id, and a digest for each table. The digest is zero for a table in
/// which the event has no row.
const ENTRY_LENGTH: usize = size_of::<i64>() + EventTable::ALL.len() * DIGEST_LENGTH;

/// What a seal lists of one event.
pub(super) struct Entry {
    pub(super) event_id: i64,
    pub(super) digests: [Option<Digest>; EventTable::ALL.len()],
}

/// Makes the seal of `events`, which must be all events after `previous` up to `last_event_id`. `complete_time`: no other
/// event up to this time exists.
#[must_use]
pub fn make_seal(
    keys: &KeyRing,
    previous: Option<&Seal>,
    events: &[AuditRows],
    last_event_id: i64,
    complete_time: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Seal {
    let entries: Vec<u8> = events.iter().flat_map(encode_entry).collect();
    sign(
        keys,
        Seal {
            last_event_id,
            event_count: i32::try_from(events.len()).expect("a batch is small"),
            last_event_time: events.iter().map(|event| event.event_time).max(),
            complete_time,
            entries_digest: sha256(&entries).to_vec(),
            entries: Some(entries),
            ..make_empty_seal(previous, now)
        },
    )
}

/// Makes a seal that records the purge of all events up to `purged_to`.
pub(super) fn make_purge_seal(keys: &KeyRing, previous: &Seal, purged_to: i64, now: DateTime<Utc>) -> Seal {
    sign(keys, Seal { purged_to: Some(purged_to), ..make_empty_seal(Some(previous), now) })
}

/// The next seal in the chain, over no events and without MAC.
fn make_empty_seal(previous: Option<&Seal>, now: DateTime<Utc>) -> Seal {
    let position = previous.map_or(0, |seal| seal.last_event_id);
    Seal {
        number: previous.map_or(0, |seal| seal.number) + 1,
        version: ENCODING_VERSION,
        seal_time: now,
        after_event_id: position,
        last_event_id: position,
        event_count: 0,
        last_event_time: None,
        complete_time: None,
        entries: None,
        entries_digest: sha256(&[]).to_vec(),
        purged_to: None,
        previous_mac: previous.map_or_else(|| vec![0; DIGEST_LENGTH], |seal| seal.mac.clone()),
        key_id: 0,
        mac: Vec::new(),
    }
}

/// Adds the MAC.
fn sign(keys: &KeyRing, seal: Seal) -> Seal {
    let (key_id, mac) = keys.audit_mac(&encode(&seal));
    Seal { key_id, mac: mac.to_vec(), ..seal }
}

/// Whether this key ring made the seal and nothing in it was changed, including its entries if they are present.
pub(super) fn is_genuine(keys: &KeyRing, seal: &Seal) -> bool {
    keys.audit_mac_matches(seal.key_id, &encode(seal), &seal.mac)
        && seal.entries.as_ref().is_none_or(|entries| sha256(entries) == *seal.entries_digest)
}

/// The bytes that the MAC covers.
fn encode(seal: &Seal) -> Vec<u8> {
    let time = |time: DateTime<Utc>| time.timestamp_micros().to_be_bytes();
    Encoding::new("audit_seals")
        .field(seal.version.to_be_bytes())
        .field(seal.number.to_be_bytes())
        .field(time(seal.seal_time))
        .field(seal.after_event_id.to_be_bytes())
        .field(seal.last_event_id.to_be_bytes())
        .field(seal.event_count.to_be_bytes())
        .optional(seal.last_event_time.map(time))
        .optional(seal.complete_time.map(time))
        .field(&seal.entries_digest)
        .optional(seal.purged_to.map(i64::to_be_bytes))
        .field(&seal.previous_mac)
        .0
}

/// The bytes that a seal lists of the event.
fn encode_entry(event: &AuditRows) -> Vec<u8> {
    let mut entry = event.id.to_be_bytes().to_vec();
    for table in EventTable::ALL {
        entry.extend(table.digest(event).unwrap_or_default());
    }
    entry
}

/// Reads the entries of a genuine seal.
pub(super) fn decode_entries(entries: &[u8]) -> impl Iterator<Item = Entry> {
    entries.chunks_exact(ENTRY_LENGTH).filter_map(|entry| {
        let (id, digests) = entry.split_first_chunk()?;
        let mut digests = digests.chunks_exact(DIGEST_LENGTH).map(|digest| Digest::try_from(digest).ok());
        Some(Entry {
            event_id: i64::from_be_bytes(*id),
            digests: EventTable::ALL.map(|_| digests.next().flatten().filter(|digest| *digest != Digest::default())),
        })
    })
}

/// Number and MAC of a seal, which operators keep outside the database: `NUMBER:MAC`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealHead {
    pub number: i64,
    pub mac: Vec<u8>,
}

impl From<&Seal> for SealHead {
    fn from(seal: &Seal) -> Self {
        Self { number: seal.number, mac: seal.mac.clone() }
    }
}

impl fmt::Display for SealHead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.number, STANDARD.encode(&self.mac))
    }
}

impl FromStr for SealHead {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let head = text
            .split_once(':')
            .and_then(|(number, mac)| Some(Self { number: number.parse().ok()?, mac: STANDARD.decode(mac).ok()? }));
        head.ok_or("must be a seal's number and its MAC, as `audit verify` prints them, such as 42:aGVhZA==")
    }
}

//! Makes changes of the audit detectable: its rows are sealed in batches, and the seals form a chain.
//!
//! The transactions that change something write the audit rows themselves. They need no lock and no extra write for the seals.
//! Every few seconds a **sealer** (one instance at a time) covers the new rows. A seal contains a digest of each row and the MAC
//! of the seal before it. The MAC is made with a key of the key ring, which is not in the database.
//!
//! **No event is missed.** Events get their ids from a sequence and may commit in another order. A seal covers *all* ids after
//! the last seal up to a horizon: the last id that had been handed out at some time, once every transaction that was writing
//! events at that time has ended (`store/audit/audit_horizon.rs`). A transaction locks the table, as every INSERT does, before
//! it gets an id, and other sessions see that lock until they see its rows. So a transaction that commits late holds the
//! horizon back. After the horizon has passed, no honest transaction can add a row up to it.
//!
//! **Inserted and removed rows are found.** A row with a sealed id that its seal does not list was inserted. A row that is
//! listed and missing was removed. A row that is not sealed yet cannot be checked, because the service itself could have
//! written it; but each seal records up to which time all events are sealed, and a new event from before that time is
//! reported.
//!
//! **A cut-off end is found.** Seals are numbered, and each contains the MAC of the one before. Missing last seals are found by
//! comparison with the number and MAC of a seal that were kept elsewhere. The log has both of each seal. An operator compares
//! with `audit verify --expect-head`.
//!
//! **The purge** deletes whole batches. In the same transaction it appends a seal that records up to which event it deleted, and
//! erases the digests of the deleted rows. The MACs cover a digest of these digests, so the chain stays valid. Without the key
//! ring nobody can make such a seal.

mod canonical;
mod export;
mod finding;
mod seal;
mod sealer;
mod verify;

pub use canonical::EventTable;
pub use export::{Export, export};
pub use finding::Finding;
pub use seal::{SealHead, make_seal};
pub use sealer::{AuditSettings, Sealer, purge};
pub use verify::{Report, VerifyError, verify};

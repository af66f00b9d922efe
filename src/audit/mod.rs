//! The audit cannot be changed unnoticed: its rows are chained in sealed batches.
//!
//! Audit rows are written by the transactions that they record, and by nothing else; no lock or extra write is asked of
//! these. Every few seconds a **sealer** (one at a time, of all instances) covers the rows that have come since. A seal holds
//! a digest of each row and the MAC of the seal before, under a key of the key ring, which is not in the database.
//!
//! **Nothing is missed.** Events are numbered by a sequence and may be committed out of order. A seal covers *all* ids above
//! those of the seal before, up to a horizon: the last id handed out at some moment, once every transaction that was writing
//! events at that moment has ended (`store/audit_horizon.rs`). A writer locks the table, as every INSERT does, before it is
//! given an id, and that lock can be seen until its rows can. So a transaction that commits late holds the horizon back, and
//! once the horizon has passed, no further row up to it can come about honestly.
//!
//! **Nothing is added or taken.** A row with a sealed id that its seal does not list was inserted; one that is listed and
//! missing was removed. A row that is not sealed yet is taken for what it says, as the service itself could have written it;
//! but each seal tells until when all events are sealed, and an event from before that can no longer come.
//!
//! **Nothing is cut off unnoticed.** Seals are numbered and each holds the MAC before it. Missing last seals show to whoever
//! has kept a number and its MAC: the log, which gets both of each seal, and who runs `audit verify --expect-head`.
//!
//! **The purge** deletes whole batches. It appends a seal that says how far, in the same transaction, and erases the digests
//! with the rows. The chain of MACs goes over a digest of these digests, so it holds on. Who deletes without the key ring
//! cannot make such a seal.

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

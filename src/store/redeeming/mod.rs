//! RedeemTemporaryPin (R2, R3, R4): a try is counted and committed, then compared by the use case, then concluded.
//!
//! Each of the two transactions locks the PIN, reads the facts, lets `domain::redemption` decide, and writes the decision. The
//! lock on the open PIN makes the tries of one person wait for each other: tries are counted on the open PIN only, and a person
//! has at most one.

mod begin_try;
mod finish_try;
mod person_tries;
mod record_outcome;
mod redemption_try;

pub use begin_try::begin_try;
pub use finish_try::finish_try;
pub use redemption_try::{PinToCompare, RedemptionTry, TryStart};

pub(in crate::store) use person_tries::list_person_tries;

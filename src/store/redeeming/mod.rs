//! RedeemTemporaryPin (R2, R3, R4) in two transactions: [`begin_try()`] counts the try and commits; then the caller compares
//! the PIN; then [`finish_try()`] stores the result. Every try runs both, whatever its outcome.

mod begin_try;
mod finish_try;
mod redemption_try;

pub use begin_try::begin_try;
pub use finish_try::finish_try;
pub use redemption_try::{CountedTry, RedeemOutcome, RedemptionTry, TryRefusal, TryResult, TryStart};

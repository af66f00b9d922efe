//! IssueTemporaryPin (R5, R21, R25): from an order to its outcome.
//!
//! - [`PinIssuer`] runs `issue.sql`, for concurrent orders together. It inserts the PINs of the orders that meet every
//!   condition: almost all of them.
//! - `decide_order` runs a transaction for one order that is left: it locks, reads the facts, lets `domain::order` decide,
//!   and writes.

mod decide_order;
mod decision_writes;
mod insert_new_pins;
mod order_facts;
mod pin_issuer;
mod pin_order;
mod pin_request_view;
mod previous_answer;

pub use decide_order::decide_order;
pub use pin_issuer::PinIssuer;
pub use pin_order::{IssueOutcome, NewPin, PinOrder};
pub use pin_request_view::{DispatchState, PinRequestView, PinState};
pub use previous_answer::find_replay;

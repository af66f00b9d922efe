//! IssueTemporaryPin (R5, R21, R25): what is stored of an order for a PIN, and what its outcome is.

mod issue_outcome;
mod issue_temporary_pin;
mod pin_issuer;
mod pin_order;
mod pin_request_view;

pub use issue_outcome::{AccessProblem, IssueOutcome, VerificationProblem};
pub use issue_temporary_pin::{find_replay, issue};
pub use pin_issuer::PinIssuer;
pub use pin_order::{IssueLimits, PinOrder};
pub use pin_request_view::{DispatchState, PinRequestView, PinState};

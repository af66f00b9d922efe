//! IssueTemporaryPin (R5, R21, R25).

mod issue_temporary_pin;
mod pin_request_view;

pub use issue_temporary_pin::{
    AccessProblem, IssueLimits, IssueOutcome, PinIssuer, PinOrder, VerificationProblem, find_replay, issue,
};
pub use pin_request_view::{DispatchState, PinRequestView, PinState};

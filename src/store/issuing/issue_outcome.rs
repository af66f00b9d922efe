//! The outcome of an order for a PIN.

use chrono::{DateTime, Utc};
use sqlx::types::Json;

use super::PinRequestView;
use crate::domain::hold::Hold;

/// The outcome of an order for a PIN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IssueOutcome {
    /// A new PIN is issued and queued to be sent.
    Issued(PinRequestView),
    /// The open PIN is queued to be sent again (R5).
    Resent(PinRequestView),
    /// A PIN is open and cannot be sent again yet, or not any more.
    AlreadyOpen(PinRequestView),
    /// This request was answered before, with this.
    Replayed(PinRequestView),
    /// The request id was used for another order.
    RequestIdReused,
    /// The verification does not allow the order (R21).
    Verification(VerificationProblem),
    /// An operator has blocked the person (R9).
    Blocked,
    /// The hold does not allow the order (R6, R7).
    Access(AccessProblem),
    /// R25: too many PINs for the person. The next one can be issued at `until`.
    PersonLimit { until: DateTime<Utc> },
    /// R25: too many PINs to the mobile number. The next one can be issued at `until`.
    MobileLimit { until: DateTime<Utc> },
    /// A new PIN could be issued, but [`PinOrder::may_issue`](super::PinOrder::may_issue) is false.
    NotIssued,
}

/// Why a verification does not allow an order (R21).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VerificationProblem {
    /// This caller, channel and person have no verification with this id.
    Unknown,
    /// It has not confirmed the identity.
    NotConfirmed,
    Expired,
    /// It was used for another PIN request.
    Used,
}

/// Why the hold does not allow an order (R6, R7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccessProblem {
    NotRequested,
    /// The hold is running.
    Running(Hold),
    /// The access window has passed.
    Expired(Hold),
    /// The login was before the end of the hold: the person must log in again.
    LoginAgain,
}

/// The row that issue_temporary_pin.sql returns for each order.
pub(super) struct OutcomeRow {
    pub(super) outcome: String,
    pub(super) response: Option<Json<PinRequestView>>,
    pub(super) until: Option<DateTime<Utc>>,
    pub(super) request_time: Option<DateTime<Utc>>,
    pub(super) eligible_time: Option<DateTime<Utc>>,
    pub(super) access_expire_time: Option<DateTime<Utc>>,
}

impl OutcomeRow {
    /// `None`: the order lost a race, and nothing was written for it.
    pub(super) fn into_outcome(self) -> Option<IssueOutcome> {
        let hold = || -> Option<Hold> {
            Some(Hold {
                request_time: self.request_time?,
                eligible_time: self.eligible_time?,
                expire_time: self.access_expire_time?,
            })
        };
        let view = self.response.map(|Json(view)| view);
        match self.outcome.as_str() {
            "issued" => view.map(IssueOutcome::Issued),
            "resent" => view.map(IssueOutcome::Resent),
            "already_open" => view.map(IssueOutcome::AlreadyOpen),
            "replayed" => view.map(IssueOutcome::Replayed),
            "request_id_reused" => Some(IssueOutcome::RequestIdReused),
            "verification_unknown" => Some(IssueOutcome::Verification(VerificationProblem::Unknown)),
            "verification_not_confirmed" => Some(IssueOutcome::Verification(VerificationProblem::NotConfirmed)),
            "verification_expired" => Some(IssueOutcome::Verification(VerificationProblem::Expired)),
            "verification_used" => Some(IssueOutcome::Verification(VerificationProblem::Used)),
            "blocked" => Some(IssueOutcome::Blocked),
            "access_none" => Some(IssueOutcome::Access(AccessProblem::NotRequested)),
            "access_running" => hold().map(|hold| IssueOutcome::Access(AccessProblem::Running(hold))),
            "access_expired" => hold().map(|hold| IssueOutcome::Access(AccessProblem::Expired(hold))),
            "access_login_again" => Some(IssueOutcome::Access(AccessProblem::LoginAgain)),
            "person_limit" => self.until.map(|until| IssueOutcome::PersonLimit { until }),
            "mobile_limit" => self.until.map(|until| IssueOutcome::MobileLimit { until }),
            _ => Some(IssueOutcome::NotIssued),
        }
    }
}

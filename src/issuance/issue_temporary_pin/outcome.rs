//! Turns the outcome of the statement into the answer.

use chrono::{DateTime, Utc};

use super::IssueDecision;
use crate::domain::reason::{Denial, Reason};
use crate::issuance::Refusal;
use crate::store::issuing::{AccessProblem, IssueOutcome, PinRequestView, VerificationProblem};

/// The PIN request, or why there is none.
pub(super) fn answer(outcome: IssueOutcome, decision: IssueDecision) -> Result<PinRequestView, Refusal> {
    let limited = |reason, until: DateTime<Utc>| Refusal::Limited(Denial::until(reason, until));
    Err(match outcome {
        IssueOutcome::Issued(view)
        | IssueOutcome::Resent(view)
        | IssueOutcome::AlreadyOpen(view)
        | IssueOutcome::Replayed(view) => return Ok(view),
        IssueOutcome::RequestIdReused => Refusal::RequestIdReused,
        IssueOutcome::Verification(problem) => problem.into(),
        IssueOutcome::Blocked => Refusal::lasting(Reason::PersonBlocked),
        IssueOutcome::Access(problem) => problem.into(),
        IssueOutcome::PersonLimit { until } => limited(Reason::PersonLimit, until),
        IssueOutcome::MobileLimit { until } => limited(Reason::MobileLimit, until),
        IssueOutcome::NotIssued => match decision {
            IssueDecision::MayOnlyRepeat(refusal) => refusal,
            IssueDecision::MayIssue => Refusal::Internal("not issued, though the guard admitted".into()),
        },
    })
}

impl From<VerificationProblem> for Refusal {
    fn from(problem: VerificationProblem) -> Self {
        Self::lasting(match problem {
            VerificationProblem::Unknown => Reason::VerificationUnknown,
            VerificationProblem::NotConfirmed => Reason::VerificationNotConfirmed,
            VerificationProblem::Expired => Reason::VerificationExpired,
            VerificationProblem::Used => Reason::VerificationUsed,
        })
    }
}

impl From<AccessProblem> for Refusal {
    fn from(problem: AccessProblem) -> Self {
        match problem {
            AccessProblem::NotRequested => Self::lasting(Reason::AccessNotRequested),
            AccessProblem::Running(hold) => {
                Self::Precondition(vec![Denial::until(Reason::HoldRunning, hold.eligible_time)])
            }
            AccessProblem::Expired(_) => Self::lasting(Reason::AccessExpired),
            AccessProblem::LoginAgain => Self::lasting(Reason::LoginAgain),
        }
    }
}

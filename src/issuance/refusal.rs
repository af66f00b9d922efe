//! Why a use case did not do what the caller asked for. The failures of dependencies become refusals here, and nowhere else
//! (R26).

use std::fmt::Display;

use super::dependency_failure::{Dependency, DependencyFailure};
use crate::domain::reason::{Denial, Reason};
use crate::guard::{GuardDecision, GuardError};
use crate::register::RegisterUnavailable;
use crate::store::StoreError;

/// Why a use case refused the call. `grpc::status` turns it into a gRPC status. The text in `Internal` and the cause in
/// `Unavailable` go to the log only.
#[derive(Debug)]
pub enum Refusal {
    /// Malformed fields: the path of each, and what it must be.
    Invalid(Vec<(&'static str, String)>),
    /// The `request_id` was used before with another payload.
    RequestIdReused,
    /// The caller or the agent may not do this.
    NotAllowed(Reason),
    /// The person, the hold or the verification does not allow it now. Holds at least one denial.
    Precondition(Vec<Denial>),
    /// A limit is reached.
    Limited(Denial),
    /// Another call for the same person is running, and its outcome decides this one. The call has recorded nothing.
    Busy,
    /// A dependency failed or did not answer (R26).
    Unavailable(DependencyFailure),
    /// The caller has gone away before the outcome was recorded; nothing was recorded.
    Abandoned,
    /// A defect.
    Internal(String),
}

impl Refusal {
    /// The reason that the answer names.
    #[must_use]
    pub fn reason(&self) -> Reason {
        match self {
            Self::Invalid(_) => Reason::InvalidField,
            Self::RequestIdReused => Reason::RequestIdReused,
            Self::NotAllowed(reason) => *reason,
            Self::Precondition(denials) => denials.first().map_or(Reason::Internal, |denial| denial.reason),
            Self::Limited(denial) => denial.reason,
            Self::Busy => Reason::Busy,
            Self::Unavailable(_) => Reason::Unavailable,
            Self::Abandoned => Reason::DeadlineExceeded,
            Self::Internal(_) => Reason::Internal,
        }
    }

    /// `cause` is for the log only. It must hold no personal data.
    pub(super) fn unavailable(dependency: Dependency, cause: &impl Display) -> Self {
        Self::Unavailable(DependencyFailure { dependency, cause: cause.to_string() })
    }

    /// A precondition that waiting does not fulfil.
    pub(super) fn lasting(reason: Reason) -> Self {
        Self::Precondition(vec![Denial::lasting(reason)])
    }

    /// One malformed field.
    pub(super) fn field(path: &'static str, description: impl Into<String>) -> Self {
        Self::Invalid(vec![(path, description.into())])
    }

    /// The refusal for a decision of the guard that did not check a hold. `Ok` if the guard allowed it.
    pub(super) fn check_limits(decision: GuardDecision) -> Result<(), Self> {
        match decision {
            GuardDecision::Allowed => Ok(()),
            GuardDecision::Limited { reason, until } => Err(Self::Limited(Denial::until(reason, until))),
            GuardDecision::HoldMissing | GuardDecision::HoldNotPassed(_) => {
                Err(Self::Internal("the guard judged a hold that was not asked for".into()))
            }
        }
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(failure) => Self::unavailable(Dependency::Postgres, &failure.with_causes()),
            StoreError::Internal(failure) => Self::Internal(failure.with_causes()),
        }
    }
}

impl From<GuardError> for Refusal {
    fn from(error: GuardError) -> Self {
        Self::unavailable(Dependency::Redis, &error)
    }
}

impl From<RegisterUnavailable> for Refusal {
    fn from(error: RegisterUnavailable) -> Self {
        Self::unavailable(Dependency::Register, &error)
    }
}

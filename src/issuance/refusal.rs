//! Why a use case did not do what it was asked.

use crate::domain::reason::{Denial, Reason};
use crate::guard::GuardError;
use crate::register::RegisterUnavailable;
use crate::store::StoreError;

/// Why not. `grpc::status` turns it into a status; what stands in `Internal` never leaves the process.
#[derive(Debug)]
pub enum Refusal {
    /// Fields that are malformed: path and what would be right.
    Invalid(Vec<(&'static str, String)>),
    /// The `request_id` was used with another payload.
    RequestIdReused,
    /// The caller or agent may not.
    NotAllowed(Reason),
    /// Not in this state of affairs; at least one denial.
    Precondition(Vec<Denial>),
    /// A limit is reached.
    Limited(Denial),
    /// That dependency does not answer (R26).
    Unavailable(Dependency),
    /// Nobody waits for the answer any more; nothing was recorded.
    Abandoned,
    /// A defect.
    Internal(String),
}

impl Refusal {
    /// The reason that stands in the answer.
    #[must_use]
    pub fn reason(&self) -> Reason {
        match self {
            Self::Invalid(_) => Reason::InvalidField,
            Self::RequestIdReused => Reason::RequestIdReused,
            Self::NotAllowed(reason) => *reason,
            Self::Precondition(denials) => denials.first().map_or(Reason::Internal, |denial| denial.reason),
            Self::Limited(denial) => denial.reason,
            Self::Unavailable(_) => Reason::Unavailable,
            Self::Abandoned => Reason::DeadlineExceeded,
            Self::Internal(_) => Reason::Internal,
        }
    }

    /// A precondition that waiting does not fulfil.
    pub(super) fn lasting(reason: Reason) -> Self {
        Self::Precondition(vec![Denial::lasting(reason)])
    }

    /// One malformed field.
    pub(super) fn field(path: &'static str, description: impl Into<String>) -> Self {
        Self::Invalid(vec![(path, description.into())])
    }
}

/// What an answer depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dependency {
    /// The database.
    Postgres,
    /// The guard.
    Redis,
    /// The identity register.
    Register,
    /// An issuer of ID tokens.
    Login,
}

impl Dependency {
    /// The name used in metrics and logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::Redis => "redis",
            Self::Register => "register",
            Self::Login => "login",
        }
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(_) => Self::Unavailable(Dependency::Postgres),
            StoreError::Internal(cause) => Self::Internal(cause),
        }
    }
}

impl From<GuardError> for Refusal {
    fn from(_: GuardError) -> Self {
        Self::Unavailable(Dependency::Redis)
    }
}

impl From<RegisterUnavailable> for Refusal {
    fn from(_: RegisterUnavailable) -> Self {
        Self::Unavailable(Dependency::Register)
    }
}

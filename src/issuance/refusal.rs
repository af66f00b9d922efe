//! Why a use case did not do what it was asked.

use crate::domain::reason::{Denial, Reason};
use crate::guard::GuardError;
use crate::register::Unavailable;
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
    Unavailable(&'static str),
    /// A defect.
    Internal(String),
}

impl Refusal {
    /// A precondition that waiting does not fulfil.
    pub(super) fn lasting(reason: Reason) -> Self {
        Self::Precondition(vec![Denial::lasting(reason)])
    }

    /// One malformed field.
    pub(super) fn field(path: &'static str, description: impl Into<String>) -> Self {
        Self::Invalid(vec![(path, description.into())])
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(_) => Self::Unavailable("postgres"),
            StoreError::Internal(cause) => Self::Internal(cause),
        }
    }
}

impl From<GuardError> for Refusal {
    fn from(_: GuardError) -> Self {
        Self::Unavailable("redis")
    }
}

impl From<Unavailable> for Refusal {
    fn from(_: Unavailable) -> Self {
        Self::Unavailable("identity register")
    }
}

//! The services that the use cases depend on, and the one place where their failures become refusals (R26).

use std::fmt::Display;

use super::Refusal;
use crate::guard::GuardError;
use crate::register::RegisterUnavailable;
use crate::store::StoreError;

/// A service that the use cases cannot do without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dependency {
    /// The database.
    Postgres,
    /// Holds the limits and the holds of the guard.
    Redis,
    /// The identity register.
    Register,
    /// The OpenID Connect issuers whose keys sign ID tokens.
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

/// A dependency that failed or did not answer in time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DependencyFailure {
    /// Which one failed.
    pub dependency: Dependency,
    /// The cause, for the log only. Holds no personal data.
    pub cause: String,
}

impl Refusal {
    /// `cause` is for the log only. It must hold no personal data.
    pub(super) fn unavailable(dependency: Dependency, cause: &impl Display) -> Self {
        Self::Unavailable(DependencyFailure { dependency, cause: cause.to_string() })
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

//! Why a use case did not do what it was asked.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

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

/// Waits until a multiple of the interval has passed since then: the time of a no shall not tell its reason.
pub(super) async fn await_its_time(since: Instant, interval: Duration) {
    if !interval.is_zero() {
        let intervals = since.elapsed().as_nanos() / interval.as_nanos() + 1;
        sleep_until(since + interval * u32::try_from(intervals).unwrap_or(1)).await;
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

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use tokio::time::advance;

    use super::*;

    #[rstest]
    #[case::at_once(250, 0, 250)]
    #[case::most_work(250, 249, 250)]
    #[case::just_too_late(250, 250, 500)]
    #[case::slow(250, 1100, 1250)]
    #[case::off(0, 7, 7)]
    #[tokio::test(start_paused = true)]
    async fn a_no_leaves_at_its_time(#[case] interval: u64, #[case] work: u64, #[case] answer: u128) {
        let since = Instant::now();
        advance(Duration::from_millis(work)).await;
        await_its_time(since, Duration::from_millis(interval)).await;
        assert_eq!(since.elapsed().as_millis(), answer);
    }
}

//! Errors of the guard.

use tracing::warn;

/// Why the guard cannot be made or cannot answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GuardError {
    /// Redis failed, answered something unexpected, or did not answer in time (R26); or the call's deadline had passed before
    /// the command was sent.
    #[error("Redis is unavailable")]
    Unavailable,
    /// The URL is not a Redis URL. Only [`Guard::connect`](super::Guard::connect) returns this.
    #[error("must be a Redis URL such as redis://host:6379 or rediss://user:password@host:6379/0")]
    InvalidUrl,
}

/// Logs that Redis answered something unexpected, and returns the error.
pub(super) fn report_unexpected_answer() -> GuardError {
    warn!(cause = "unexpected answer", "Redis failed");
    GuardError::Unavailable
}

//! Why the guard has no answer.

/// Why the guard has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GuardError {
    /// Redis failed or did not answer in time (R26). The log has the cause.
    #[error("Redis is unavailable")]
    Unavailable,
    /// The URL is not a Redis URL. Only [`Guard::connect`](super::Guard::connect) returns this.
    #[error("must be a Redis URL such as redis://host:6379 or rediss://user:password@host:6379/0")]
    InvalidUrl,
}

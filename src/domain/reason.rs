//! Why the service says no: one enum for answers and for error details.

use chrono::{DateTime, Utc};

/// A reason for a refusal. The wire enum `temporarypin.v1.Reason` has the same names, and its comments say what the
/// caller should tell the person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each is documented in common.proto, the published contract")]
pub enum Reason {
    InvalidField,
    RequestIdReused,
    CallerUnknown,
    CallerNotAllowed,
    MethodUnknown,
    IdentityNotConfirmed,
    InsufficientData,
    LoginNotAccepted,
    LoginTooOld,
    AssuranceTooLow,
    AgentNotAccepted,
    DocumentNotAccepted,
    WitnessNotAccepted,
    TooYoung,
    PersonDead,
    PersonDisappeared,
    CprNumberNotValid,
    CounterOnly,
    MitidNotActive,
    NoMobileNumber,
    MobileNumberNotAllowed,
    MobileNumberChangedRecently,
    AccessNotRequested,
    HoldRunning,
    AccessExpired,
    LoginAgain,
    VerificationUnknown,
    VerificationNotConfirmed,
    VerificationExpired,
    VerificationUsed,
    VerificationLimit,
    PersonLimit,
    MobileLimit,
    AgentLimit,
    CallerLimit,
    ServiceLimit,
    Unavailable,
    DeadlineExceeded,
    Internal,
}

/// A reason and, where waiting helps, until when it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Denial {
    /// Why not.
    pub reason: Reason,
    /// From when the answer may be another one. `None`: waiting does not help.
    pub until: Option<DateTime<Utc>>,
}

impl Denial {
    /// A denial that waiting does not lift.
    #[must_use]
    pub const fn lasting(reason: Reason) -> Self {
        Self { reason, until: None }
    }

    /// A denial that ends at `until`.
    #[must_use]
    pub const fn until(reason: Reason, until: DateTime<Utc>) -> Self {
        Self { reason, until: Some(until) }
    }
}

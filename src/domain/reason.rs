//! The reasons for a refusal: one enum for responses and for error details.

use chrono::{DateTime, Utc};

/// Defines the enum of reasons with the name of each.
macro_rules! reasons {
    ($($reason:ident = $name:literal,)+) => {
        /// A reason for a refusal. The enum `temporarypin.v1.Reason` in the contract has the same names; its comments say
        /// what the caller should tell the person.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Reason {
            $($reason,)+
        }

        impl Reason {
            pub const ALL: &[Self] = &[$(Self::$reason,)+];

            /// The name in error details, database tables and metrics: the name in the contract without its prefix.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$reason => $name,)+
                }
            }

            /// The reason with that name; the reverse of [`Self::as_str`].
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|reason| reason.as_str() == name)
            }
        }
    };
}

reasons! {
    InvalidField = "INVALID_FIELD",
    RequestIdReused = "REQUEST_ID_REUSED",
    CallerUnknown = "CALLER_UNKNOWN",
    CallerNotAllowed = "CALLER_NOT_ALLOWED",
    MethodUnknown = "METHOD_UNKNOWN",
    MessageTooLarge = "MESSAGE_TOO_LARGE",
    IdentityNotConfirmed = "IDENTITY_NOT_CONFIRMED",
    InsufficientData = "INSUFFICIENT_DATA",
    LoginNotAccepted = "LOGIN_NOT_ACCEPTED",
    LoginTooOld = "LOGIN_TOO_OLD",
    AssuranceTooLow = "ASSURANCE_TOO_LOW",
    AgentNotAccepted = "AGENT_NOT_ACCEPTED",
    DocumentNotAccepted = "DOCUMENT_NOT_ACCEPTED",
    WitnessNotAccepted = "WITNESS_NOT_ACCEPTED",
    WitnessLoginNotAccepted = "WITNESS_LOGIN_NOT_ACCEPTED",
    TooYoung = "TOO_YOUNG",
    PersonDead = "PERSON_DEAD",
    PersonDisappeared = "PERSON_DISAPPEARED",
    CprNumberNotValid = "CPR_NUMBER_NOT_VALID",
    CounterOnly = "COUNTER_ONLY",
    MitidNotActive = "MITID_NOT_ACTIVE",
    NoMobileNumber = "NO_MOBILE_NUMBER",
    MobileNumberNotAllowed = "MOBILE_NUMBER_NOT_ALLOWED",
    MobileNumberChangedRecently = "MOBILE_NUMBER_CHANGED_RECENTLY",
    PersonBlocked = "PERSON_BLOCKED",
    CprStatusUnclear = "CPR_STATUS_UNCLEAR",
    InPersonOnly = "IN_PERSON_ONLY",
    AccessNotRequested = "ACCESS_NOT_REQUESTED",
    HoldRunning = "HOLD_RUNNING",
    AccessExpired = "ACCESS_EXPIRED",
    LoginAgain = "LOGIN_AGAIN",
    VerificationUnknown = "VERIFICATION_UNKNOWN",
    VerificationNotConfirmed = "VERIFICATION_NOT_CONFIRMED",
    VerificationExpired = "VERIFICATION_EXPIRED",
    VerificationUsed = "VERIFICATION_USED",
    VerificationLimit = "VERIFICATION_LIMIT",
    PersonLimit = "PERSON_LIMIT",
    MobileLimit = "MOBILE_LIMIT",
    AgentLimit = "AGENT_LIMIT",
    CallerLimit = "CALLER_LIMIT",
    ServiceLimit = "SERVICE_LIMIT",
    Overloaded = "OVERLOADED",
    Busy = "BUSY",
    WrongTryLimit = "WRONG_TRY_LIMIT",
    Unavailable = "UNAVAILABLE",
    DeadlineExceeded = "DEADLINE_EXCEEDED",
    Internal = "INTERNAL",
}

/// A reason against a PIN and, if waiting helps, the time when it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Denial {
    pub reason: Reason,
    /// When the reason ends; another reason may then apply. `None`: waiting does not help.
    pub until: Option<DateTime<Utc>>,
}

impl Denial {
    /// A denial that does not end by waiting.
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

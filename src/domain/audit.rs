//! What an audit event records: which action was taken, and for which purpose.

/// Defines an enum with the name that each value has in the database.
macro_rules! stored_enum {
    ($(#[$meta:meta])* $type:ident { $($(#[$doc:meta])* $value:ident = $name:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $type {
            $($(#[$doc])* $value,)+
        }

        impl $type {
            /// The name in the database.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$value => $name,)+
                }
            }

            /// The value with that name in the database; the reverse of [`Self::as_str`].
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                match name {
                    $($name => Some(Self::$value),)+
                    _ => None,
                }
            }
        }
    };
}

stored_enum! {
    /// An action that concerns a person.
    Action {
        IdentityVerified = "identity_verified",
        /// The identity was not confirmed: the verification was rejected.
        IdentityRejected = "identity_rejected",
        QuestionsAsked = "questions_asked",
        /// The person vouched for another person at the counter (R20).
        Witnessed = "witnessed",
        /// A witness vouched for the person before a clerk whose own MitID account is not known (R20).
        ClerkNotCompared = "clerk_not_compared",
        /// Access was requested on the web.
        AccessRequested = "access_requested",
        /// A request for access was cancelled.
        AccessCancelled = "access_cancelled",
        PinIssued = "pin_issued",
        /// The open PIN was sent again.
        PinResent = "pin_resent",
        /// A PIN was ordered while one was open that could not be sent again yet.
        PinAlreadyOpen = "pin_already_open",
        PinRedeemed = "pin_redeemed",
        /// A try to redeem a PIN was refused.
        PinRefused = "pin_refused",
        PinRevoked = "pin_revoked",
        PersonBlocked = "person_blocked",
        PersonUnblocked = "person_unblocked",
        LimitReset = "limit_reset",
        /// An operator looked up the person's PIN requests.
        PinRequestsLookedUp = "pin_requests_looked_up",
        /// An operator looked up the person's requests for access.
        AccessRequestsLookedUp = "access_requests_looked_up",
        /// An operator looked up the person's limits.
        LimitsLookedUp = "limits_looked_up",
        /// An operator looked up whether the person is blocked.
        BlockLookedUp = "block_looked_up",
        /// An operator looked up the person's audit events.
        AuditEventsLookedUp = "audit_events_looked_up",
    }
}

stored_enum! {
    /// Why a person's data are processed (purpose limitation, GDPR article 5(1)(b)).
    ProcessingPurpose {
        /// To establish who the person is.
        Identification = "identification",
        /// To hand out a PIN.
        Issuance = "issuance",
        /// To check a PIN.
        Redemption = "redemption",
        /// To help the person or to protect them from misuse: the work of operators.
        Operation = "operation",
    }
}

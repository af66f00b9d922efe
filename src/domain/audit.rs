//! What the audit says of an event: what was done, and what for.

/// Defines an enum whose values have names in the database.
macro_rules! named {
    ($(#[$meta:meta])* $type:ident { $($(#[$doc:meta])* $value:ident = $name:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $type {
            $($(#[$doc])* $value,)+
        }

        impl $type {
            /// The name used in the database.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$value => $name,)+
                }
            }

            /// The value of that name, the reverse of [`Self::as_str`].
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

named! {
    /// What was done about a person.
    Action {
        /// The identity was confirmed.
        IdentityVerified = "identity_verified",
        /// The identity was not confirmed.
        IdentityRejected = "identity_rejected",
        /// Questions were asked.
        QuestionsAsked = "questions_asked",
        /// Access was requested on the web.
        AccessRequested = "access_requested",
        /// A request for access was cancelled.
        AccessCancelled = "access_cancelled",
        /// A PIN was issued.
        PinIssued = "pin_issued",
        /// The open PIN was sent again.
        PinResent = "pin_resent",
        /// A PIN was ordered while one was open.
        PinAlreadyOpen = "pin_already_open",
        /// A PIN was redeemed.
        PinRedeemed = "pin_redeemed",
        /// A PIN was typed and refused.
        PinRefused = "pin_refused",
        /// A PIN was revoked.
        PinRevoked = "pin_revoked",
        /// The person was blocked.
        PersonBlocked = "person_blocked",
        /// The block was ended.
        PersonUnblocked = "person_unblocked",
        /// A limit was reset.
        LimitReset = "limit_reset",
        /// PIN requests were looked up.
        PinRequestsLookedUp = "pin_requests_looked_up",
        /// Requests for access were looked up.
        AccessRequestsLookedUp = "access_requests_looked_up",
        /// Limits were looked up.
        LimitsLookedUp = "limits_looked_up",
        /// It was looked up whether the person is blocked.
        BlockLookedUp = "block_looked_up",
        /// Audit events were looked up.
        AuditEventsLookedUp = "audit_events_looked_up",
    }
}

named! {
    /// What a person's data are processed for.
    ProcessingPurpose {
        /// To establish who the person is.
        Identification = "identification",
        /// To hand out a PIN.
        Issuance = "issuance",
        /// To check a PIN.
        Redemption = "redemption",
        /// To help the person or protect them from misuse: an operator's work.
        Operation = "operation",
    }
}

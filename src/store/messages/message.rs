//! Messages: their kinds, and what is known of them before and after they are queued.

use chrono::{DateTime, Utc};
use uuid::Uuid;

/// What a message says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageKind {
    Pin,
    /// Access was requested, and how to stop it.
    AccessRequested,
    /// The hold has passed: the person may order a PIN.
    HoldPassed,
    /// R9: the access request was cancelled.
    AccessCancelled,
    /// R9: the PIN was revoked.
    PinRevoked,
}

impl MessageKind {
    /// The name used in the table, metrics and logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pin => "pin",
            Self::AccessRequested => "access_requested",
            Self::HoldPassed => "hold_passed",
            Self::AccessCancelled => "access_cancelled",
            Self::PinRevoked => "pin_revoked",
        }
    }

    /// The kind with this name; the reverse of [`Self::as_str`].
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Pin, Self::AccessRequested, Self::HoldPassed, Self::AccessCancelled, Self::PinRevoked]
            .into_iter()
            .find(|kind| kind.as_str() == name)
    }
}

/// An SMS that informs the person, before it is queued.
pub struct Notice {
    /// Its id in the outbox.
    pub id: Uuid,
    pub kind: MessageKind,
    /// Recipient and text, sealed.
    pub sealed_body: Vec<u8>,
    /// From when it can be sent.
    pub due_time: DateTime<Utc>,
    /// From when it must not be sent any more.
    pub expire_time: DateTime<Utc>,
}

/// A message that this dispatcher alone may hand over, until its lease expires. Has no `Debug`, so that the body is never
/// printed.
pub struct ClaimedMessage {
    pub id: Uuid,
    pub kind: MessageKind,
    /// Recipient and text, sealed.
    pub sealed_body: Vec<u8>,
    /// Which send of the message this is, from 1.
    pub sends: i16,
    /// How many hand-overs of this send have started before.
    pub attempts: i16,
    /// From when it must not be sent any more.
    pub expire_time: DateTime<Utc>,
    pub(super) lease_token: Uuid,
}

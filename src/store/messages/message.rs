//! SMS in the outbox: their kinds, a notice to be queued, and a message that a dispatcher has claimed.

use chrono::{DateTime, Utc};
use uuid::Uuid;

/// The kind of an SMS. It decides the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageKind {
    /// The PIN.
    Pin,
    /// Access was requested. The text says how to stop the request.
    AccessRequested,
    /// The hold has passed: the person may order a PIN.
    HoldPassed,
    /// R9: the access request was cancelled.
    AccessCancelled,
    /// R9: the PIN was revoked.
    PinRevoked,
    /// R20: the person vouched for another person.
    Witnessed,
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
            Self::Witnessed => "witnessed",
        }
    }

    /// The kind with that name; the reverse of [`Self::as_str`].
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Pin, Self::AccessRequested, Self::HoldPassed, Self::AccessCancelled, Self::PinRevoked, Self::Witnessed]
            .into_iter()
            .find(|kind| kind.as_str() == name)
    }
}

/// An SMS without a PIN that is to be queued.
pub struct Notice {
    /// The id of the row in the outbox.
    pub id: Uuid,
    pub kind: MessageKind,
    /// The recipient and the text, sealed.
    pub sealed_body: Vec<u8>,
    /// The time from which the notice may be sent.
    pub due_time: DateTime<Utc>,
    /// The time from which the notice must not be sent any more.
    pub expire_time: DateTime<Utc>,
}

/// A message that a dispatcher has claimed. No other dispatcher may hand it over until the lease expires. It has no `Debug`, so
/// that the body is never printed.
pub struct ClaimedMessage {
    pub id: Uuid,
    pub kind: MessageKind,
    /// The recipient and the text, sealed.
    pub sealed_body: Vec<u8>,
    /// The number of the current send, from 1. Each resend (R5) adds 1.
    pub sends: i16,
    /// How many hand-overs of the current send have started already.
    pub attempts: i16,
    /// How often it was unknown whether the gateway had taken the message.
    pub unknown_outcomes: i16,
    /// The time from which the message must not be sent any more.
    pub expire_time: DateTime<Utc>,
    pub(super) lease_token: Uuid,
}

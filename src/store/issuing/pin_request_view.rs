//! A PIN request as answers show it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::domain::channel::Channel;

/// A PIN request as answers show it. Never contains the PIN. The table `requests` keeps it as JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PinRequestView {
    pub id: Uuid,
    pub state: PinState,
    pub channel: Channel,
    pub create_time: DateTime<Utc>,
    /// From when the PIN cannot be redeemed any more (R2).
    pub expire_time: DateTime<Utc>,
    pub masked_mobile_number: String,
    pub dispatch_state: DispatchState,
    /// From when the same PIN can be sent again (R5); `None` if it cannot.
    pub next_send_time: Option<DateTime<Utc>>,
}

/// The state of a PIN.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PinState {
    /// It can be redeemed until it expires.
    Open,
    Redeemed,
    /// It was not redeemed in time.
    Expired,
    Revoked,
}

/// The state of a PIN's SMS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DispatchState {
    /// It waits to be handed over to the gateway.
    Queued,
    /// The gateway accepted it.
    Accepted,
    /// It will not be handed over again: the gateway refused it, or the outcome of its hand-over is unknown.
    Failed,
    /// It was not handed over in time, or was withdrawn.
    Expired,
}

impl DispatchState {
    /// `state` is the state of the message in the outbox.
    pub(in crate::store) fn from_message_state(state: &str) -> Self {
        match state {
            "queued" => Self::Queued,
            "accepted" => Self::Accepted,
            "failed" => Self::Failed,
            // "cancelled" as well: callers know no more than that it will not be sent.
            _ => Self::Expired,
        }
    }
}

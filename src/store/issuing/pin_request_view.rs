//! PIN requests as answers show them.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use uuid::Uuid;

use crate::domain::channel::Channel;

/// A PIN request as answers show it. Never the PIN.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct PinRequestView {
    /// Its id.
    pub id: Uuid,
    /// What has become of the PIN.
    pub state: PinState,
    /// The channel it was issued through.
    pub channel: Channel,
    /// When it was issued.
    pub create_time: DateTime<Utc>,
    /// When the PIN ceases to be valid (R2).
    pub expire_time: DateTime<Utc>,
    /// The mobile number, masked.
    pub masked_mobile_number: String,
    /// What has become of the SMS.
    pub dispatch_state: DispatchState,
    /// From when the same PIN can be sent again (R5); `None` when it cannot.
    pub next_send_time: Option<DateTime<Utc>>,
}

/// What has become of a PIN.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PinState {
    /// It can be redeemed until it expires.
    Open,
    /// It was redeemed.
    Redeemed,
    /// It was not redeemed in time.
    Expired,
    /// It was revoked.
    Revoked,
}

/// What has become of a PIN's SMS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DispatchState {
    /// Waiting for the gateway.
    Queued,
    /// Accepted by the gateway.
    Accepted,
    /// Refused by the gateway for good.
    Failed,
    /// Not handed over in time; it will not be sent.
    Expired,
}

impl DispatchState {
    /// By the state of the message in the outbox.
    pub(in crate::store) fn of_message(state: &str) -> Self {
        match state {
            "queued" => Self::Queued,
            "accepted" => Self::Accepted,
            "failed" => Self::Failed,
            _ => Self::Expired,
        }
    }
}

//! An order for a PIN.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::domain::channel::Channel;
use crate::domain::person::{AgentKey, MobileKey, PersonKey};
use crate::domain::pin::PinVerifier;
use crate::domain::rules::Limit;

/// An order for a PIN, with everything that a new PIN request needs.
#[derive(Clone)]
pub struct PinOrder {
    pub caller: Arc<str>,
    /// Idempotency key: the same caller and id get the same answer.
    pub request_id: Uuid,
    /// Keyed digest of the order. Tells a repeat from another order under the same id.
    pub payload_digest: [u8; 32],
    /// The verification that allows this order (R21). Must be of the same caller, channel and person.
    pub verification_id: Uuid,
    pub person: PersonKey,
    /// Every pseudonym of the person. A block may be stored under any of them.
    pub keys: Vec<PersonKey>,
    /// The registered mobile number.
    pub mobile: MobileKey,
    pub channel: Channel,
    /// The support agent or clerk, on phone and at the counter.
    pub agent: Option<AgentKey>,
    pub now: DateTime<Utc>,
    /// Id of the PIN request, if a new PIN is issued.
    pub pin_request_id: Uuid,
    pub verifier: PinVerifier,
    /// R2: how long a new PIN can be redeemed.
    pub lifetime: Duration,
    pub masked_mobile_number: String,
    /// Id of the new PIN's SMS in the outbox.
    pub message_id: Uuid,
    /// The new PIN's SMS, sealed.
    pub sealed_body: Vec<u8>,
    /// Whether a new PIN may be issued. If not, the order can still be replayed, or get the open PIN again.
    pub may_issue: bool,
    pub limits: IssueLimits,
}

/// The limits that the issue statement checks. Orders with the same limits can share a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IssueLimits {
    /// R25: PINs per person; at least one.
    pub person_pins: Limit,
    /// R25: PINs per mobile number; at least one.
    pub mobile_pins: Limit,
    /// R5: least time between two sends of a PIN.
    pub resend_interval: Duration,
    /// R5: how often a PIN is sent in all.
    pub sends: u32,
}

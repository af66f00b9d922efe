//! An order for a PIN, and its outcome.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::pin_request_view::{DispatchState, PinRequestView, PinState};
use crate::domain::channel::Channel;
use crate::domain::order::{OrderRules, OrderTerms};
use crate::domain::person::{AgentKey, MobileKey, PersonKey};
use crate::domain::pin::PinVerifier;
use crate::domain::reason::Denial;
use crate::store::messages::local_handovers::{HandoverPlace, NewPinMessage};

/// An order for a PIN.
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
    pub masked_mobile_number: String,
    /// The PIN to issue. `None`: no new PIN may be issued. The order can still be replayed, or get the open PIN again.
    pub new_pin: Option<NewPin>,
}

/// A new PIN with its SMS.
#[derive(Clone)]
pub struct NewPin {
    /// Id of the PIN request.
    pub pin_request_id: Uuid,
    pub verifier: PinVerifier,
    /// R2: until when it can be redeemed.
    pub expire_time: DateTime<Utc>,
    /// Id of the SMS in the outbox.
    pub message_id: Uuid,
    /// The SMS, sealed.
    pub sealed_body: Vec<u8>,
    /// The place that the SMS has in the channel to the dispatcher of this process. `None`: any dispatcher can claim it.
    pub handover_place: Option<Arc<HandoverPlace>>,
}

/// The outcome of an order for a PIN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IssueOutcome {
    /// The new PIN is issued and queued to be sent.
    Issued(PinRequestView),
    /// The open PIN is queued to be sent again (R5).
    Resent(PinRequestView),
    /// A PIN is open and cannot be sent again yet, or not any more.
    AlreadyOpen(PinRequestView),
    /// This request was answered before, with this.
    Replayed(PinRequestView),
    /// The request id was used for another order.
    RequestIdReused,
    /// A condition is not met: verification (R21), block (R9), hold (R6, R7).
    Refused(Denial),
    /// A limit is reached by rows: wrong tries (R4), PINs of the person or the mobile number (R25).
    Limited(Denial),
    /// Every condition is met, but [`PinOrder::new_pin`] is `None`.
    NotIssued,
}

impl NewPin {
    /// Gives the dispatcher the SMS. Must follow the commit.
    pub(super) fn hand_over(&self) {
        if let Some(place) = &self.handover_place {
            let (id, expire_time) = (self.message_id, self.expire_time);
            place.hand_over(NewPinMessage { id, sealed_body: self.sealed_body.clone(), expire_time });
        }
    }
}

impl PinOrder {
    pub(super) fn terms(&self) -> OrderTerms {
        OrderTerms {
            payload_digest: self.payload_digest,
            channel: self.channel,
            mobile: self.mobile,
            now: self.now,
            may_issue: self.new_pin.is_some(),
        }
    }
}

impl PinRequestView {
    /// A PIN request right after it is issued.
    pub(super) fn of_new_pin(order: &PinOrder, new_pin: &NewPin, rules: &OrderRules) -> Self {
        Self {
            id: new_pin.pin_request_id,
            state: PinState::Open,
            channel: order.channel,
            create_time: order.now,
            expire_time: new_pin.expire_time,
            masked_mobile_number: order.masked_mobile_number.clone(),
            dispatch_state: DispatchState::Queued,
            next_send_time: rules.first_next_send_time(order.now, new_pin.expire_time),
        }
    }
}

//! The decision about an order for a PIN (R4, R5, R6, R7, R9, R21, R25).

use std::time::Duration;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::channel::Channel;
use super::eligibility::find_hold_denial;
use super::hold::Hold;
use super::person::MobileKey;
use super::person_limit::LimitUsage;
use super::reason::{Denial, Reason};
use super::rule_settings::{Limit, Rules};

#[cfg(test)]
mod tests;

/// The figures of the rules that decide about orders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderRules {
    /// R4: wrong tries per person. At least one.
    pub wrong_tries: Limit,
    /// R25: PINs per person. At least one.
    pub person_pins: Limit,
    /// R25: PINs per mobile number. At least one.
    pub mobile_pins: Limit,
    /// R5: shortest time between two sends of one PIN.
    pub resend_interval: Duration,
    /// R5: how often one PIN is sent at most, the first time included.
    pub sends: u32,
    /// R24: no PIN is sent again with less life left: the gateway could deliver it after its expiry.
    pub least_validity: Duration,
}

/// What an order says.
#[derive(Clone, Copy, Debug)]
pub struct OrderTerms {
    /// Keyed digest of the order. Tells a repeat from another order under the same request id.
    pub payload_digest: [u8; 32],
    pub channel: Channel,
    /// The mobile number that is registered now.
    pub mobile: MobileKey,
    pub now: DateTime<Utc>,
    /// Whether a new PIN may be issued. If not, the order can still be replayed, or get the open PIN again.
    pub may_issue: bool,
}

/// What is on record about the person and the order.
#[derive(Clone, Debug)]
pub struct OrderFacts {
    /// The payload digest of the order that was answered before under the same caller and request id.
    pub answered_digest: Option<[u8; 32]>,
    /// The verification that the order names, if it is of the same caller, channel and person.
    pub verification: Option<VerificationFacts>,
    /// Whether an operator has blocked the person (R9).
    pub is_blocked: bool,
    /// The PIN that holds the person's one open place, even if it has expired.
    pub open_pin: Option<OpenPinFacts>,
    /// The open access request of a web order.
    pub hold: Option<Hold>,
    /// R4: when the person's latest wrong tries within the window were made, the latest first.
    pub wrong_tries: Vec<DateTime<Utc>>,
    /// R25: when the person's latest PINs within the window were issued, the latest first.
    pub person_pins: Vec<DateTime<Utc>>,
    /// R25: the same for the PINs that went to the mobile number.
    pub mobile_pins: Vec<DateTime<Utc>>,
}

/// What is on record about a verification.
#[derive(Clone, Copy, Debug)]
pub struct VerificationFacts {
    /// Whether it confirmed the identity.
    pub is_verified: bool,
    pub create_time: DateTime<Utc>,
    pub expire_time: DateTime<Utc>,
    /// The PIN request that it was used for (R21).
    pub used_for: Option<Uuid>,
}

/// What is on record about a PIN that is not closed.
#[derive(Clone, Copy, Debug)]
pub struct OpenPinFacts {
    pub id: Uuid,
    /// The mobile number that it went to.
    pub mobile: MobileKey,
    pub expire_time: DateTime<Utc>,
    pub last_send_time: DateTime<Utc>,
    /// How often it was sent.
    pub sends: u32,
    /// Whether its SMS is still kept, so that it can be sent again.
    pub has_sms: bool,
}

/// What to do with an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderDecision {
    /// Give the answer that was given before.
    Replay,
    /// Refuse: the request id was used for another order.
    RefuseRequestId,
    /// Refuse: a condition is not met.
    Refuse(Denial),
    /// Refuse: a limit is reached, as counted from rows.
    RefuseByLimit(Denial),
    /// Send the open PIN again.
    SendAgain,
    /// Return the open PIN request.
    ReturnOpen,
    /// A new PIN could be issued, but [`OrderTerms::may_issue`] is false.
    DoNotIssue,
    /// Issue a new PIN. If another PIN holds the person's open place, close it first.
    Issue { close: Option<PinClosure> },
}

/// Why a PIN that was not redeemed is closed when a new one is issued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PinClosure {
    Expired,
    /// It went to a mobile number that is not registered any more.
    MobileNumberChanged,
}

impl OrderRules {
    /// The figures that decide about orders, taken from all rules.
    #[must_use]
    pub fn new(rules: &Rules, least_validity: Duration) -> Self {
        Self {
            wrong_tries: rules.limits.wrong_tries,
            person_pins: rules.limits.person_pins,
            mobile_pins: rules.limits.mobile_pins,
            resend_interval: rules.pin.resend_interval,
            sends: rules.pin.sends,
            least_validity,
        }
    }

    /// When a new PIN can be sent again for the first time (R5). `None`: it is sent only once, or its life would be too
    /// short by then.
    #[must_use]
    pub fn first_next_send_time(&self, issue_time: DateTime<Utc>, expire_time: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.next_send_time(true, 1, issue_time, expire_time, issue_time)
    }

    fn next_send_time(
        &self,
        has_sms: bool,
        sends: u32,
        last_send_time: DateTime<Utc>,
        expire_time: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Option<DateTime<Utc>> {
        let next = last_send_time + self.resend_interval;
        let is_valid_long_enough = next.max(now) + self.least_validity < expire_time;
        (has_sms && sends < self.sends && is_valid_long_enough).then_some(next)
    }
}

impl OpenPinFacts {
    /// When the PIN can be sent again (R5), as seen at `now`. `None`: its SMS is erased, it was sent often enough, or its life
    /// is over, or too short for the gateway (R24).
    #[must_use]
    pub fn next_send_time(&self, rules: &OrderRules, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        rules.next_send_time(self.has_sms, self.sends, self.last_send_time, self.expire_time, now)
    }

    /// The PIN after it is sent again at `now`.
    #[must_use]
    pub fn sent_again(self, now: DateTime<Utc>) -> Self {
        Self { sends: self.sends + 1, last_send_time: now, ..self }
    }

    /// Why a new PIN takes the place of this one. `None`: the person can still use this one.
    fn find_closure(&self, order: &OrderTerms) -> Option<PinClosure> {
        if self.expire_time <= order.now {
            Some(PinClosure::Expired)
        } else if self.mobile != order.mobile {
            Some(PinClosure::MobileNumberChanged)
        } else {
            None
        }
    }
}

/// Decides what to do with an order. The order of the checks is part of the contract: the first that applies is the answer.
#[must_use]
pub fn decide(facts: &OrderFacts, order: &OrderTerms, rules: &OrderRules) -> OrderDecision {
    if let Some(digest) = facts.answered_digest {
        let is_repeat = digest == order.payload_digest;
        return if is_repeat { OrderDecision::Replay } else { OrderDecision::RefuseRequestId };
    }
    let closure = facts.open_pin.as_ref().and_then(|pin| pin.find_closure(order));
    let usable_pin = facts.open_pin.filter(|_| closure.is_none());

    if let Some(reason) = find_verification_problem(facts.verification, usable_pin, order) {
        return OrderDecision::Refuse(Denial::lasting(reason));
    }
    if facts.is_blocked {
        return OrderDecision::Refuse(Denial::lasting(Reason::PersonBlocked));
    }
    // R4: no PIN is sent that cannot be redeemed, and none is returned.
    if let Some(denial) = find_limit_denial(&facts.wrong_tries, rules.wrong_tries, Reason::WrongTryLimit) {
        return OrderDecision::RefuseByLimit(denial);
    }
    if let Some(pin) = usable_pin {
        let may_send = pin.next_send_time(rules, order.now).is_some_and(|time| time <= order.now);
        return if may_send { OrderDecision::SendAgain } else { OrderDecision::ReturnOpen };
    }
    if order.channel == Channel::Web
        && let Some(denial) = find_access_denial(facts, order.now)
    {
        return OrderDecision::Refuse(denial);
    }
    let limit_denial = find_limit_denial(&facts.person_pins, rules.person_pins, Reason::PersonLimit)
        .or_else(|| find_limit_denial(&facts.mobile_pins, rules.mobile_pins, Reason::MobileLimit));
    match limit_denial {
        Some(denial) => OrderDecision::RefuseByLimit(denial),
        None if order.may_issue => OrderDecision::Issue { close: closure },
        None => OrderDecision::DoNotIssue,
    }
}

/// R21: why the verification does not allow the order. A verification may be used again for the PIN that it was used for.
fn find_verification_problem(
    verification: Option<VerificationFacts>,
    usable_pin: Option<OpenPinFacts>,
    order: &OrderTerms,
) -> Option<Reason> {
    let Some(verification) = verification else { return Some(Reason::VerificationUnknown) };
    if !verification.is_verified {
        return Some(Reason::VerificationNotConfirmed);
    }
    if verification.expire_time <= order.now {
        return Some(Reason::VerificationExpired);
    }
    let is_used = verification.used_for.is_some() && verification.used_for != usable_pin.map(|pin| pin.id);
    is_used.then_some(Reason::VerificationUsed)
}

/// R6, R7: why the hold does not allow the order. The person must have logged in after the hold had passed.
fn find_access_denial(facts: &OrderFacts, now: DateTime<Utc>) -> Option<Denial> {
    find_hold_denial(facts.hold.as_ref(), now).or_else(|| {
        let (verification, hold) = (facts.verification?, facts.hold?);
        (verification.create_time < hold.eligible_time).then_some(Denial::lasting(Reason::LoginAgain))
    })
}

/// The denial of a limit that is reached, with the time when it has room again. `times`: the latest first.
fn find_limit_denial(times: &[DateTime<Utc>], limit: Limit, reason: Reason) -> Option<Denial> {
    let usage = LimitUsage::count(times.iter().map(|time| (*time, 1)), limit);
    usage.full_until.map(|until| Denial::until(reason, until))
}

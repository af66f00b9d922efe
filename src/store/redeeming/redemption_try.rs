//! A try to redeem a PIN, and how it starts.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::domain::person::PersonKey;
use crate::domain::pin::PinVerifier;
use crate::domain::redemption::{RedeemOutcome, RedemptionRules};

/// A try to redeem a PIN.
pub struct RedemptionTry<'a> {
    /// The caller.
    pub caller: &'a str,
    /// The caller's id of this try: the same id gets the same answer and counts once.
    pub request_id: Uuid,
    /// Keyed digest of the request, PIN included: a repeat compares the same PIN or nothing.
    pub payload_digest: [u8; 32],
    /// The person.
    pub person: PersonKey,
    /// The figures of the rules.
    pub rules: RedemptionRules,
    /// Whether Redis has room for a wrong try.
    pub is_allowed_by_guard: bool,
    /// The time of the try.
    pub now: DateTime<Utc>,
}

/// How a try starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TryStart {
    /// This request was answered before, with this.
    Replayed(RedeemOutcome),
    /// This request id was used for another payload.
    RequestIdReused,
    /// The try is counted: compare, then [`finish_try`](super::finish_try()).
    Counted(PinToCompare),
    /// There is nothing to compare with. This outcome is recorded.
    Answered(RedeemOutcome),
    /// Other tries of the person are running, and their results decide this one. Nothing is recorded.
    Busy,
}

/// The PIN that a counted try is compared with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PinToCompare {
    /// Its PIN request.
    pub pin_request_id: Uuid,
    /// What is stored of the PIN.
    pub verifier: PinVerifier,
}

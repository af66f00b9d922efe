//! A try to redeem a PIN, and its states.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use uuid::Uuid;

use crate::domain::person::PersonKey;
use crate::domain::pin::PinVerifier;
use crate::domain::rules::Limit;

/// A try to redeem a PIN.
pub struct RedemptionTry<'a> {
    pub caller: &'a str,
    /// Idempotency key: the same caller and id get the same answer, and count once.
    pub request_id: Uuid,
    /// Keyed digest of the request, PIN included. So a repeat cannot compare another PIN.
    pub payload_digest: [u8; 32],
    pub person: PersonKey,
    /// R3: tries of one PIN.
    pub max_tries: u32,
    /// R4: wrong tries of the person, over all PINs.
    pub wrong_tries: Limit,
    /// Whether the try may count. `false` if the guard has no try left; a repeat is still answered.
    pub may_count: bool,
    pub now: DateTime<Utc>,
}

/// What follows from the start of a try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TryStart {
    /// This request was answered before, with this.
    Replayed(RedeemOutcome),
    /// The request id was used with another payload.
    RequestIdReused,
    /// The try is counted. Compare the PIN, then call [`finish_try`](super::finish_try()).
    Counted(CountedTry),
    /// There is no PIN to compare with. Call [`finish_try`](super::finish_try()) to record that.
    Refused(TryRefusal),
}

/// A try that is counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CountedTry {
    /// The PIN request on which it counts.
    pub pin_request_id: Uuid,
    /// What the PIN is compared with.
    pub verifier: PinVerifier,
    /// Tries of this PIN so far, this one included.
    pub tries: u32,
}

/// Why there is no PIN to compare with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TryRefusal {
    /// The person has no open PIN.
    NoOpenPin,
    /// The person's last PIN was revoked before it expired, or its tries are used up.
    Revoked,
    /// R4: too many wrong tries.
    BudgetExhausted,
    /// The guard has no try left, although Postgres counts fewer wrong tries: other tries may be running. Answered like
    /// [`Self::BudgetExhausted`], but revokes nothing.
    Limited,
}

/// The result of the comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TryResult<'a> {
    Right(&'a CountedTry),
    Wrong(&'a CountedTry),
    /// There was no PIN to compare with.
    Refused(TryRefusal),
}

/// The outcome of a try.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum RedeemOutcome {
    /// The PIN was right and is now used.
    Redeemed,
    WrongPin {
        /// How many tries of this PIN remain.
        left: u32,
    },
    NoOpenPin,
    /// The PIN is revoked, by this try or before it.
    Revoked,
    /// R4: too many wrong tries. The open PIN, if there was one, is revoked.
    BudgetExhausted,
}

impl RedeemOutcome {
    /// The name used in the database and in metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Redeemed => "redeemed",
            Self::WrongPin { .. } => "wrong_pin",
            Self::NoOpenPin => "no_open_pin",
            Self::Revoked => "revoked",
            Self::BudgetExhausted => "budget_exhausted",
        }
    }
}

//! RedeemTemporaryPin: the try is counted and committed before the PIN is compared (R3, R4).

use std::sync::Arc;

use chrono::{DateTime, Utc};
use tokio::time::Instant;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::response_padding::pad_response_time;
use super::{Issuance, Refusal};
use crate::deadline;
use crate::domain::channel::Channel;
use crate::domain::eligibility::find_person_denials;
use crate::domain::person::{Person, PersonKey, PersonReference};
use crate::domain::pin::Pin;
use crate::guard::{Bucket, GuardDecision, Spend};
use crate::random;
use crate::store::audit::audit_events::Actor;
use crate::store::redeeming::{self as store, RedeemOutcome, TryResult, TryStart};
use crate::store::withdrawal::{Withdrawal, revoke_temporary_pin};

/// One try.
pub struct RedeemOrder {
    /// Name of the caller.
    pub caller: Arc<str>,
    /// Idempotency key.
    pub request_id: Uuid,
    /// The person.
    pub person: PersonReference,
    /// What was typed.
    pub pin: Pin,
}

/// How a PIN compared with the open one.
enum Compared {
    Right,
    Wrong,
    Not,
}

impl Issuance {
    /// Checks a PIN, once. What redeems nothing is answered at its time.
    pub async fn redeem_temporary_pin(
        &self,
        attempt: &RedeemOrder,
        now: DateTime<Utc>,
    ) -> Result<RedeemOutcome, Refusal> {
        let start = Instant::now();
        let result = self.take_try(attempt, now).await;
        if !matches!(result, Ok(RedeemOutcome::Redeemed)) {
            pad_response_time(start, self.rules.pin.refusal_interval).await;
        }
        result
    }

    async fn take_try(&self, attempt: &RedeemOrder, now: DateTime<Utc>) -> Result<RedeemOutcome, Refusal> {
        self.admit_caller(&attempt.caller, now).await?;
        let person = self.register.look_up_person(&attempt.person).await?;
        let key = self.person_key(&attempt.person, person.as_ref());
        // One wrong try of the person, spent before it is known to be wrong (R4).
        let spend =
            Spend { bucket: Bucket::WrongTries(key), limit: self.rules.limits.wrong_tries, id: attempt.request_id };
        // A no of the guard is not the last word: a repeat is answered as the first time, and tries that run at this moment
        // may turn out right.
        let may_count = self.guard.check_and_spend(None, &[spend], now).await? == GuardDecision::Allowed;
        let result = self.compare(attempt, key, person.as_ref(), may_count, now).await;
        if may_count && !matches!(result, Ok((Compared::Wrong, _))) {
            self.refund(&[spend], now).await;
        }
        let (_, outcome) = result?;
        self.metrics.count_redemption(outcome.as_str());
        Ok(outcome)
    }

    /// The outcome, and how the PIN compared.
    async fn compare(
        &self,
        attempt: &RedeemOrder,
        key: PersonKey,
        person: Option<&Person>,
        may_count: bool,
        now: DateTime<Utc>,
    ) -> Result<(Compared, RedeemOutcome), Refusal> {
        if person.is_none_or(|person| !self.may_still_redeem(person, now)) {
            let reason = "not_eligible";
            let actor = Actor::Caller(&attempt.caller);
            let withdrawal = Withdrawal { person: key, actor, reason, notice: None, now };
            revoke_temporary_pin(&self.store, &withdrawal).await?;
        }
        let payload = Zeroizing::new([&key.0, attempt.pin.digits().as_bytes()].concat());
        let counted_try = store::RedemptionTry {
            caller: &attempt.caller,
            request_id: attempt.request_id,
            payload_digest: self.keys.keyed_digest("RedeemTemporaryPin", &payload),
            person: key,
            max_tries: self.rules.pin.tries,
            wrong_tries: self.rules.limits.wrong_tries,
            may_count,
            now,
        };
        let begun = store::begin_try(&self.store, &counted_try).await?;
        let verdict = match &begun {
            TryStart::Replayed(outcome) => return Ok((Compared::Not, *outcome)),
            TryStart::RequestIdReused => return Err(Refusal::RequestIdReused),
            TryStart::Counted(counted) => {
                if self.keys.pin_matches(counted.pin_request_id, &attempt.pin, &counted.verifier) {
                    TryResult::Right(counted)
                } else {
                    TryResult::Wrong(counted)
                }
            }
            TryStart::Refused(refusal) => {
                // The work of a comparison, so that the time taken does not tell a wrong PIN from none.
                let _ = self.keys.make_pin_verifier(attempt.request_id, &attempt.pin, &mut random::secure());
                TryResult::Refused(*refusal)
            }
        };
        let compared = match verdict {
            TryResult::Wrong(_) => Compared::Wrong,
            TryResult::Right(_) => Compared::Right,
            TryResult::Refused(_) => Compared::Not,
        };
        // What is counted is concluded, whether or not anybody waits for it still.
        let outcome = deadline::without_deadline(store::finish_try(&self.store, &counted_try, verdict)).await?;
        Ok((compared, outcome))
    }

    /// Whether somebody who got a PIN may still use it: alive, and with an active account (R12). Somebody whom the register
    /// does not know (any more) may not.
    fn may_still_redeem(&self, person: &Person, now: DateTime<Utc>) -> bool {
        find_person_denials(person, Channel::Counter, &self.rules.eligibility, now).is_empty()
    }
}

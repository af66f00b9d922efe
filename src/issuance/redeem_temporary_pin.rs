//! RedeemTemporaryPin: the try is counted and committed before the PIN is compared (R3, R4).

use std::sync::Arc;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{Issuance, Refusal};
use crate::domain::channel::Channel;
use crate::domain::eligibility::denials;
use crate::domain::person::{Person, PersonKey, PersonReference};
use crate::domain::pin::Pin;
use crate::guard::{Admission, Bucket, Spend};
use crate::keys::PinVerifier;
use crate::store::redeem_temporary_pin::{self as store, Begun, Redemption};
use crate::store::revoke_temporary_pin::{RevokeReason, revoke};

/// One try.
pub struct Try {
    /// Name of the caller.
    pub caller: Arc<str>,
    /// Idempotency key.
    pub request_id: Uuid,
    /// The person.
    pub person: PersonReference,
    /// What was typed.
    pub pin: Pin,
}

impl Issuance {
    /// Checks a PIN, once.
    pub async fn redeem_temporary_pin(&self, attempt: &Try, now: DateTime<Utc>) -> Result<Redemption, Refusal> {
        self.admit_caller(&attempt.caller, now).await?;
        let person = self.register.look_up_person(&attempt.person).await?;
        let key = self.person_key(&attempt.person, person.as_ref());
        let spend = Spend {
            bucket: Bucket::WrongTries(key),
            limit: self.rules.limits.wrong_tries,
            id: attempt.request_id,
        };
        if let Admission::Limited { .. } = self.guard.admit(None, &[spend], now).await? {
            revoke(&self.store, key, &attempt.caller, RevokeReason::WrongTries, now).await?;
            return Ok(Redemption::BudgetExhausted);
        }
        if person.as_ref().is_some_and(|person| !self.may_still_redeem(person, now)) {
            revoke(&self.store, key, &attempt.caller, RevokeReason::NotEligible, now).await?;
        }
        let redemption = self.compare(attempt, key, now).await;
        if !matches!(redemption, Ok(Redemption::WrongPin { .. } | Redemption::Revoked)) {
            self.refund(&[spend], now).await;
        }
        redemption
    }

    async fn compare(&self, attempt: &Try, key: PersonKey, now: DateTime<Utc>) -> Result<Redemption, Refusal> {
        let payload = [&key.0, attempt.pin.digits().as_bytes()].concat();
        let digest = self.keys.digest("RedeemTemporaryPin", &payload);
        let begun = store::begin_try(&self.store, &attempt.caller, attempt.request_id, digest, key, now, &self.rules);
        match begun.await? {
            Begun::Replayed(redemption) => Ok(redemption),
            Begun::RequestIdReused => Err(Refusal::RequestIdReused),
            Begun::BudgetExhausted => Ok(Redemption::BudgetExhausted),
            Begun::Counted { pin_request_id, verifier } => {
                let matched = self.keys.pin_matches(pin_request_id, &attempt.pin, &verifier);
                Ok(store::finish_try(&self.store, &attempt.caller, attempt.request_id, matched, now).await?)
            }
            Begun::NoOpenPin(redemption) => {
                // The same work as for a wrong PIN, so that the time does not tell them apart.
                let nobody = PinVerifier { key_id: 0, salt: [0; 16], mac: [0; 32] };
                let _ = self.keys.pin_matches(attempt.request_id, &attempt.pin, &nobody);
                Ok(redemption)
            }
        }
    }

    /// Whether somebody who got a PIN may still use it: alive, and with an active account (R12).
    fn may_still_redeem(&self, person: &Person, now: DateTime<Utc>) -> bool {
        denials(person, Channel::Counter, &self.rules.eligibility, now).is_empty()
    }
}

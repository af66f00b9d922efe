//! RedeemTemporaryPin: the try is counted and committed before the PIN is compared (R3, R4).

use std::sync::Arc;

use chrono::{DateTime, Utc};
use sqlx::PgPool;
use tokio::time::Instant;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::limiter::Limiter;
use super::person_turns::PersonTurns;
use super::response_padding::pad_response_time;
use super::{Dependencies, Dependency, Refusal};
use crate::deadline;
use crate::domain::channel::Channel;
use crate::domain::eligibility::find_person_denials;
use crate::domain::person::{Person, PersonKey, PersonReference};
use crate::domain::pin::Pin;
use crate::domain::redemption::{RedeemOutcome, RedemptionRules};
use crate::domain::rule_settings::Rules;
use crate::guard::{Bucket, Guard, GuardDecision, Spend};
use crate::keys::KeyRing;
use crate::random;
use crate::register::Register;
use crate::store::audit::audit_events::Actor;
use crate::store::redeeming::{self, RedemptionTry, TryStart};
use crate::store::withdrawal::{Withdrawal, revoke_temporary_pin};
use crate::telemetry::metrics::Metrics;

/// The reason that the audit keeps for a PIN that is revoked because its person may not redeem any more.
const NOT_ELIGIBLE: &str = "not_eligible";

/// An order to check a PIN once.
pub struct RedeemOrder {
    /// Name of the caller.
    pub caller: Arc<str>,
    /// The idempotency key.
    pub request_id: Uuid,
    /// The person.
    pub person: PersonReference,
    /// The PIN that the person typed.
    pub pin: Pin,
}

/// How the typed PIN compares with the open PIN.
#[derive(PartialEq, Eq)]
enum Comparison {
    Right,
    Wrong,
    /// There was nothing to compare with, or the order is a repeat.
    NotCompared,
}

/// The use case, with what it needs.
pub(super) struct RedeemTemporaryPin<'a> {
    limiter: Limiter<'a>,
    guard: &'a Guard,
    register: &'a Register,
    store: &'a PgPool,
    person_turns: &'a PersonTurns,
    keys: &'a KeyRing,
    rules: &'a Rules,
    metrics: &'a Metrics,
    order: &'a RedeemOrder,
    now: DateTime<Utc>,
}

impl<'a> RedeemTemporaryPin<'a> {
    pub(super) fn new(
        dependencies: &'a Dependencies,
        keys: &'a KeyRing,
        order: &'a RedeemOrder,
        now: DateTime<Utc>,
    ) -> Self {
        Self {
            limiter: Limiter::new(dependencies),
            guard: &dependencies.guard,
            register: &dependencies.register,
            store: &dependencies.store,
            person_turns: &dependencies.person_turns,
            keys,
            rules: &dependencies.rules,
            metrics: &dependencies.metrics,
            order,
            now,
        }
    }

    /// Checks the PIN. Every answer but `Redeemed` is padded, so that its latency does not reveal the reason.
    pub(super) async fn run(&self) -> Result<RedeemOutcome, Refusal> {
        let start = Instant::now();
        let result = self.redeem().await;
        if !matches!(result, Ok(RedeemOutcome::Redeemed)) {
            pad_response_time(start, self.rules.pin.refusal_interval).await;
        }
        result
    }

    async fn redeem(&self) -> Result<RedeemOutcome, Refusal> {
        // Step 1: Spend the caller's call, and find the person.
        self.limiter.spend_caller_call(&self.order.caller, self.now).await?;
        let person = self.register.look_up_person(&self.order.person).await?;
        let key = self.keys.person_pseudonyms(Some(&self.order.person), person.as_ref()).primary();

        // Step 2: Wait until no other call of the person runs in this process, so that nothing is spent that is not decided.
        let _turn = self.person_turns.wait_for_turn(key).await?;
        let Some(person) = person else { return self.answer_unknown_person(key).await };

        // Step 3: Spend one wrong try of the person before the PIN is known to be wrong (R4). If Redis refuses, go on without
        // leave to count: Postgres knows whether this order is a repeat, and whether the limit is reached.
        let limit = self.rules.limits.wrong_tries;
        let spend = Spend { bucket: Bucket::WrongTries(key), limit, id: self.order.request_id };
        let is_allowed = self.guard.check_and_spend(None, &[spend], self.now).await? == GuardDecision::Allowed;

        // Step 4: Revoke the PIN of a person who may not redeem any more.
        // Step 5: Count the try, compare the PIN, and record the result.
        let result = match self.revoke_if_not_eligible(key, &person).await {
            Ok(()) => self.count_and_compare(key, is_allowed).await,
            Err(refusal) => Err(refusal),
        };

        // Step 6: Give back the wrong try unless the PIN was wrong.
        if is_allowed && !matches!(result, Ok((Comparison::Wrong, _))) {
            self.limiter.refund(&[spend], self.now).await;
        }
        if !is_allowed && matches!(result, Err(Refusal::Busy)) {
            return Err(self.limiter.answer_busy(&[spend], self.now).await);
        }
        let (_, outcome) = result?;
        self.metrics.count_redemption(outcome.as_str());
        Ok(outcome)
    }

    /// Revokes the person's open PIN unless the person may still redeem it.
    async fn revoke_if_not_eligible(&self, key: PersonKey, person: &Person) -> Result<(), Refusal> {
        if self.may_still_redeem(person) {
            return Ok(());
        }
        let actor = Actor::Caller(&self.order.caller);
        let withdrawal = Withdrawal { person: key, actor, reason: NOT_ELIGIBLE, notice: None, now: self.now };
        revoke_temporary_pin(self.store, &withdrawal).await?;
        Ok(())
    }

    /// The answer about a person whom the register does not know. It may have lost the person for a moment only, so nothing is
    /// compared, counted or revoked: the PIN stays as it is until it expires. Only a repeat and a person without an open PIN get
    /// an outcome.
    async fn answer_unknown_person(&self, key: PersonKey) -> Result<RedeemOutcome, Refusal> {
        match redeeming::begin_try(self.store, &self.make_try(key, false)).await? {
            TryStart::Replayed(outcome) => Ok(outcome),
            TryStart::Answered(outcome) => {
                self.pretend_to_compare();
                self.metrics.count_redemption(outcome.as_str());
                Ok(outcome)
            }
            TryStart::Counted(_) | TryStart::RequestIdReused | TryStart::Busy => {
                Err(Refusal::unavailable(Dependency::Register, &"a person with an open PIN is not known"))
            }
        }
    }

    /// Whether a person who got a PIN may still redeem it: the person is alive and the account is active (R12).
    fn may_still_redeem(&self, person: &Person) -> bool {
        // The counter has the fewest conditions of its own.
        find_person_denials(person, Channel::Counter, &self.rules.eligibility, self.now).is_empty()
    }

    /// Counts the try, compares the PIN, and records the result.
    async fn count_and_compare(
        &self,
        key: PersonKey,
        is_allowed_by_guard: bool,
    ) -> Result<(Comparison, RedeemOutcome), Refusal> {
        let redemption_try = self.make_try(key, is_allowed_by_guard);
        let to_compare = match redeeming::begin_try(self.store, &redemption_try).await? {
            TryStart::Counted(to_compare) => to_compare,
            TryStart::Replayed(outcome) => return Ok((Comparison::NotCompared, outcome)),
            TryStart::RequestIdReused => return Err(Refusal::RequestIdReused),
            TryStart::Busy => return Err(Refusal::Busy),
            TryStart::Answered(outcome) => {
                self.pretend_to_compare();
                return Ok((Comparison::NotCompared, outcome));
            }
        };
        let is_right = self.keys.pin_matches(to_compare.pin_request_id, &self.order.pin, &to_compare.verifier);
        // Without a deadline: a counted try gets its result recorded even if the caller has stopped waiting.
        let finish = redeeming::finish_try(self.store, &redemption_try, to_compare.pin_request_id, is_right);
        let outcome = deadline::without_deadline(finish).await?;
        Ok((if is_right { Comparison::Right } else { Comparison::Wrong }, outcome))
    }

    fn make_try(&self, person: PersonKey, is_allowed_by_guard: bool) -> RedemptionTry<'_> {
        let payload = Zeroizing::new([&person.0, self.order.pin.digits().as_bytes()].concat());
        RedemptionTry {
            caller: &self.order.caller,
            request_id: self.order.request_id,
            payload_digest: self.keys.keyed_digest("RedeemTemporaryPin", &payload),
            person,
            rules: RedemptionRules { tries_per_pin: self.rules.pin.tries, wrong_tries: self.rules.limits.wrong_tries },
            is_allowed_by_guard,
            now: self.now,
        }
    }

    /// Does the work of a comparison, so that latency does not tell a wrong PIN from a missing one.
    fn pretend_to_compare(&self) {
        let _ = self.keys.make_pin_verifier(self.order.request_id, &self.order.pin, &mut random::secure());
    }
}

//! R9: an operator resets a limit, as counted from rows (R4, R18, R25).

use chrono::{DateTime, Utc};
use sqlx::PgPool;
use temporary_pin::domain::audit::Action;
use temporary_pin::domain::channel::Channel;
use temporary_pin::domain::order::OrderRules;
use temporary_pin::domain::person_limit::{LimitUsage, PersonLimit};
use temporary_pin::domain::reason::{Denial, Reason};
use temporary_pin::domain::redemption::{RedeemOutcome, RedemptionRules};
use temporary_pin::domain::rule_settings::{Limit, LimitRules};
use temporary_pin::store::audit::audit_events::{Actor, NewAuditEvent};
use temporary_pin::store::issuing::IssueOutcome;
use temporary_pin::store::operators::person_limits::{read_usage, reset_limit};
use temporary_pin::store::redeeming::RedemptionTry;
use temporary_pin::store::verifying::verifications::{RecordOutcome, VerificationState, record};
use test_support::store::*;

const LIMIT: Limit = Limit { times: 3, per: DAY };

async fn reset_at(pool: &PgPool, limit: PersonLimit, now: DateTime<Utc>) {
    let event = NewAuditEvent {
        now,
        person: PERSON,
        action: Action::LimitReset,
        actor: Actor::Operator("olga"),
        reason: "helped by phone",
        subject: None,
    };
    reset_limit(pool, limit, PERSON.0, &event).await.unwrap();
}

async fn used(pool: &PgPool, limit: PersonLimit, now: DateTime<Utc>) -> u32 {
    read_usage(pool, limit, LIMIT, PERSON.0, now).await.unwrap().times
}

async fn record_failed(pool: &PgPool, now: DateTime<Utc>) -> RecordOutcome {
    let run = verification(PERSON, VerificationState::Rejected(Reason::IdentityNotConfirmed), now);
    record(pool, &run, &LIMITS).await.unwrap()
}

#[sqlx::test]
async fn r18_verifications_from_before_the_reset_do_not_count(pool: PgPool) {
    for minute in 0..3 {
        assert_eq!(record_failed(&pool, t0() + seconds(60 * minute)).await, RecordOutcome::Recorded);
    }
    let now = t0() + seconds(180);
    let until = t0() + DAY;
    assert_eq!(record_failed(&pool, now).await, RecordOutcome::Limited { until });
    let full = read_usage(&pool, PersonLimit::FailedVerifications(Channel::Phone), LIMIT, PERSON.0, now).await.unwrap();
    assert_eq!(full, LimitUsage { times: 3, full_until: Some(until) });

    reset_at(&pool, PersonLimit::FailedVerifications(Channel::Phone), now).await;
    // A reset from an instance whose clock is behind does not undo it.
    reset_at(&pool, PersonLimit::FailedVerifications(Channel::Phone), t0()).await;

    assert_eq!(used(&pool, PersonLimit::FailedVerifications(Channel::Phone), now).await, 0);
    let limits = LimitRules { failed_verifications: LIMIT, ..LimitRules::default() };
    assert_eq!(standing(&pool, PERSON, &limits, now).await.failed_phone_until, None);
    let later = now + seconds(1);
    for _ in 0..3 {
        assert_eq!(record_failed(&pool, later).await, RecordOutcome::Recorded);
    }
    assert_eq!(record_failed(&pool, later).await, RecordOutcome::Limited { until: later + DAY });
    assert_eq!(used(&pool, PersonLimit::PersonPins, later).await, 0);
}

#[sqlx::test]
async fn r25_a_reset_affects_one_limit_only(pool: PgPool) {
    let order_at = |now| {
        let pool = pool.clone();
        async move {
            let verification = verified(&pool, PERSON, now).await;
            let rules = OrderRules { person_pins: LIMIT, mobile_pins: LIMIT, ..ORDER_RULES };
            issue_with_rules(&pool, &order(PERSON, verification, now), rules).await.unwrap()
        }
    };
    for hour in 0..3 {
        assert!(matches!(order_at(t0() + hours(hour)).await, IssueOutcome::Issued(_)));
    }
    let now = t0() + hours(3);
    assert_eq!(order_at(now).await, IssueOutcome::Limited(Denial::until(Reason::PersonLimit, t0() + DAY)));
    reset_at(&pool, PersonLimit::PersonPins, now).await;
    // The mobile number of these orders has the person's own pseudonym, so only the name tells the two limits apart.
    assert_eq!(order_at(now).await, IssueOutcome::Limited(Denial::until(Reason::MobileLimit, t0() + DAY)));
    reset_at(&pool, PersonLimit::MobilePins, now).await;
    assert!(matches!(order_at(now + seconds(1)).await, IssueOutcome::Issued(_)));
    assert_eq!(used(&pool, PersonLimit::PersonPins, now + seconds(1)).await, 1);
    assert_eq!(used(&pool, PersonLimit::MobilePins, now + seconds(1)).await, 1);
}

/// Also those of a PIN that is open. R3 goes on: a reset buys no guesses at one PIN.
#[sqlx::test]
async fn r4_tries_from_before_the_reset_do_not_count(pool: PgPool) {
    issued(&pool, PERSON, t0()).await;
    for _ in 0..3 {
        redeem(&pool, &attempt(PERSON, t0()), false).await;
    }
    let now = t0() + seconds(60);
    issued(&pool, PERSON, now).await;
    redeem(&pool, &attempt(PERSON, now), false).await;
    assert_eq!(used(&pool, PersonLimit::WrongTries, now).await, 4);

    reset_at(&pool, PersonLimit::WrongTries, now).await;

    assert_eq!(used(&pool, PersonLimit::WrongTries, now).await, 0);
    let rules = RedemptionRules { tries_per_pin: 3, wrong_tries: LIMIT };
    let at = |now| RedemptionTry { rules, ..attempt(PERSON, now) };
    let later = now + seconds(1);
    assert_eq!(redeem(&pool, &at(later), false).await, RedeemOutcome::WrongPin { left: 1 });
    assert_eq!(redeem(&pool, &at(later), false).await, RedeemOutcome::Revoked);
    issued(&pool, PERSON, later).await;
    let exhausted = RedeemOutcome::BudgetExhausted { until: Some(later + DAY) };
    assert_eq!(redeem(&pool, &at(later), false).await, exhausted);
    assert_eq!(used(&pool, PersonLimit::WrongTries, later).await, 3);
}

//! R2, R3, R4 with 32 concurrent tries, and a try concurrent with a revocation (R9).

use std::sync::Arc;

use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use temporary_pin::domain::person::PersonKey;
use temporary_pin::domain::redemption::{RedeemOutcome, RedemptionRules};
use temporary_pin::domain::rule_settings::Limit;
use temporary_pin::store::redeeming::{RedemptionTry, TryStart, begin_try, finish_try};
use temporary_pin::store::withdrawal::revoke_temporary_pin;
use test_support::store::*;

const CALLERS: u64 = 32;
const GATE: &str = "SELECT FROM pin_requests FOR UPDATE";

fn count(outcomes: &[RedeemOutcome], outcome: RedeemOutcome) -> usize {
    outcomes.iter().filter(|other| **other == outcome).count()
}

/// Tries again, as a caller does who is told that other tries are running.
async fn redeem_patiently(pool: &PgPool, attempt: &RedemptionTry<'_>, is_right: bool) -> RedeemOutcome {
    loop {
        match begin_try(pool, attempt).await.unwrap() {
            TryStart::Busy => tokio::task::yield_now().await,
            TryStart::Counted(pin) => return finish_try(pool, attempt, pin.pin_request_id, is_right).await.unwrap(),
            TryStart::Answered(outcome) => return outcome,
            other => panic!("{other:?}"),
        }
    }
}

/// As from 32 instances, which do not know of each other's tries.
#[sqlx::test]
async fn r2_right_tries_at_once_redeem_once_and_cost_nothing(_: PgPoolOptions, options: PgConnectOptions) {
    let pool = wide_pool(options);
    issued(&pool, PERSON, t0()).await;
    let outcomes = run_concurrently(CALLERS, |_| {
        let pool = pool.clone();
        async move { redeem_patiently(&pool, &attempt(PERSON, t0()), true).await }
    })
    .await;
    assert_eq!(count(&outcomes, RedeemOutcome::Redeemed), 1, "{outcomes:?}");
    assert_eq!(count(&outcomes, RedeemOutcome::NoOpenPin), 31, "{outcomes:?}");
    assert_eq!(one::<i64>(&pool, "SELECT count(*) FROM audit_events WHERE action = 'pin_redeemed'").await, 1);
    let wrong = "SELECT count(*) FROM requests WHERE pin_request_id IS NOT NULL AND is_right IS NOT TRUE";
    assert_eq!(one::<i64>(&pool, wrong).await, 0);
    assert_eq!(one::<i64>(&pool, "SELECT count(*) FROM requests WHERE response IS NULL").await, 0);
}

/// All of them compared: it is not the number of tries that decides, but the redemption.
#[sqlx::test]
async fn r2_right_tries_that_were_all_compared_redeem_once(_: PgPoolOptions, options: PgConnectOptions) {
    let pool = wide_pool(options);
    issued(&pool, PERSON, t0()).await;
    let rules = RedemptionRules { tries_per_pin: 100, wrong_tries: Limit { times: 1000, per: DAY } };
    let mut counted = Vec::new();
    for _ in 0..CALLERS {
        let attempt = RedemptionTry { rules, ..attempt(PERSON, t0()) };
        assert!(matches!(begin_try(&pool, &attempt).await.unwrap(), TryStart::Counted(_)));
        counted.push(attempt);
    }
    let counted = Arc::new(counted);
    let outcomes = run_concurrently_behind_lock(&pool, GATE, CALLERS, |number| {
        let (pool, counted) = (pool.clone(), Arc::clone(&counted));
        async move { conclude(&pool, &counted[number as usize], true).await.unwrap() }
    })
    .await;
    assert_eq!(count(&outcomes, RedeemOutcome::Redeemed), 1);
    assert_eq!(count(&outcomes, RedeemOutcome::NoOpenPin), 31);
}

#[sqlx::test]
async fn r3_concurrent_wrong_tries_compare_no_more_than_three_times(_: PgPoolOptions, options: PgConnectOptions) {
    let pool = wide_pool(options);
    issued(&pool, PERSON, t0()).await;
    let outcomes = run_concurrently(CALLERS, |_| {
        let pool = pool.clone();
        async move { redeem_patiently(&pool, &attempt(PERSON, t0()), false).await }
    })
    .await;
    for left in [1, 2] {
        assert_eq!(count(&outcomes, RedeemOutcome::WrongPin { left }), 1, "{outcomes:?}");
    }
    assert_eq!(count(&outcomes, RedeemOutcome::Revoked), 30, "{outcomes:?}");
    assert_eq!(one::<String>(&pool, "SELECT state FROM pin_requests").await, "revoked");
    assert_eq!(one::<i16>(&pool, "SELECT tries FROM pin_requests").await, 3);
}

#[sqlx::test]
async fn r3_tries_at_once_are_counted_no_more_than_three_times(_: PgPoolOptions, options: PgConnectOptions) {
    let pool = wide_pool(options);
    issued(&pool, PERSON, t0()).await;
    let starts = run_concurrently_behind_lock(&pool, GATE, CALLERS, |_| {
        let pool = pool.clone();
        async move { begin_try(&pool, &attempt(PERSON, t0())).await.unwrap() }
    })
    .await;
    assert_eq!(starts.iter().filter(|start| matches!(start, TryStart::Counted(_))).count(), 3, "{starts:?}");
    assert_eq!(starts.iter().filter(|start| **start == TryStart::Busy).count(), 29, "{starts:?}");
}

#[sqlx::test]
async fn r4_tries_at_once_do_not_pass_the_persons_budget(_: PgPoolOptions, options: PgConnectOptions) {
    let pool = wide_pool(options);
    issued(&pool, PERSON, t0()).await;
    let rules = RedemptionRules { tries_per_pin: 100, wrong_tries: Limit { times: 5, per: DAY } };
    let outcomes = run_concurrently_behind_lock(&pool, GATE, CALLERS, |_| {
        let pool = pool.clone();
        async move { redeem_patiently(&pool, &RedemptionTry { rules, ..attempt(PERSON, t0()) }, false).await }
    })
    .await;
    for left in 1..5 {
        assert_eq!(count(&outcomes, RedeemOutcome::WrongPin { left }), 1, "{outcomes:?}");
    }
    let exhausted = RedeemOutcome::BudgetExhausted { until: Some(t0() + DAY) };
    assert_eq!(count(&outcomes, exhausted), 28, "{outcomes:?}");
    assert_eq!(one::<i16>(&pool, "SELECT tries FROM pin_requests").await, 5);
}

#[sqlx::test]
async fn r3_concurrent_repeats_count_once_and_agree(_: PgPoolOptions, options: PgConnectOptions) {
    let pool = wide_pool(options);
    issued(&pool, PERSON, t0()).await;
    let request_id = fresh_id();
    let outcomes = run_concurrently(CALLERS, |_| {
        let pool = pool.clone();
        async move { redeem(&pool, &RedemptionTry { request_id, ..attempt(PERSON, t0()) }, false).await }
    })
    .await;
    assert_eq!(count(&outcomes, RedeemOutcome::WrongPin { left: 2 }), 32, "{outcomes:?}");
    assert_eq!(one::<i16>(&pool, "SELECT tries FROM pin_requests").await, 1);
    assert_eq!(one::<i64>(&pool, "SELECT count(*) FROM audit_events WHERE action = 'pin_refused'").await, 1);
}

/// R9: a PIN is redeemed or revoked, never both, and the second call is told.
#[sqlx::test]
async fn r9_of_a_concurrent_right_try_and_revocation_one_wins(_: PgPoolOptions, options: PgConnectOptions) {
    let pool = wide_pool(options);
    let mut redeemed = 0;
    for round in 0..16 {
        let person = PersonKey([100 + round; 32]);
        issued(&pool, person, t0()).await;
        let (attempt, withdrawal) = (attempt(person, t0()), withdrawal(person, t0()));
        let (outcome, revoked) = tokio::join!(redeem(&pool, &attempt, true), revoke_temporary_pin(&pool, &withdrawal));
        match (outcome, revoked.unwrap()) {
            (RedeemOutcome::Redeemed, false) => redeemed += 1,
            (RedeemOutcome::Revoked, true) => {}
            other => panic!("round {round}: {other:?}"),
        }
    }
    let state = "SELECT count(*) FROM pin_requests WHERE state = 'redeemed'";
    assert_eq!(one::<i64>(&pool, state).await, redeemed);
}

/// The try is compared and right; then the PIN is revoked; then the try is finished.
#[sqlx::test]
async fn r9_a_right_try_that_is_finished_after_the_revocation_redeems_nothing(pool: PgPool) {
    issued(&pool, PERSON, t0()).await;
    let attempt = attempt(PERSON, t0());
    assert!(matches!(begin_try(&pool, &attempt).await.unwrap(), TryStart::Counted(_)));
    assert!(revoke_temporary_pin(&pool, &withdrawal(PERSON, t0())).await.unwrap());
    assert_eq!(conclude(&pool, &attempt, true).await.unwrap(), RedeemOutcome::Revoked);
}

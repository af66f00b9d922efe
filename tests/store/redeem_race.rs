//! R2, R3, R4 with 32 concurrent tries, and a try concurrent with a revocation (R9).

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use temporary_pin::domain::person::PersonKey;
use temporary_pin::domain::rules::Limit;
use temporary_pin::store::redeeming::{RedeemOutcome, RedemptionTry, TryResult, TryStart, begin_try, finish_try};
use temporary_pin::store::withdrawal::revoke_temporary_pin;
use test_support::store::*;

const CALLERS: u64 = 32;
const GATE: &str = "SELECT FROM pin_requests FOR UPDATE";

fn count(outcomes: &[RedeemOutcome], outcome: RedeemOutcome) -> usize {
    outcomes.iter().filter(|other| **other == outcome).count()
}

#[sqlx::test]
async fn r2_concurrent_right_tries_redeem_once(_: PgPoolOptions, options: PgConnectOptions) {
    let pool = wide_pool(options);
    issued(&pool, PERSON, t0()).await;
    let outcomes = at_once(CALLERS, |_| {
        let pool = pool.clone();
        async move { redeem(&pool, &attempt(PERSON, t0()), true).await }
    })
    .await;
    assert_eq!(count(&outcomes, RedeemOutcome::Redeemed), 1, "{outcomes:?}");
    assert_eq!(one::<i64>(&pool, "SELECT count(*) FROM audit_events WHERE action = 'pin_redeemed'").await, 1);
    assert_eq!(
        one::<i64>(&pool, "SELECT count(*) FROM requests WHERE response IS NOT NULL").await,
        33,
        "the order and each try"
    );
}

/// All of them are compared, so it is not the number of tries that limits the redemptions.
#[sqlx::test]
async fn r2_right_tries_that_were_all_compared_redeem_once(_: PgPoolOptions, options: PgConnectOptions) {
    let pool = wide_pool(options);
    issued(&pool, PERSON, t0()).await;
    let mut counted = Vec::new();
    for _ in 0..CALLERS {
        let attempt =
            RedemptionTry { max_tries: 100, wrong_tries: Limit { times: 1000, per: DAY }, ..attempt(PERSON, t0()) };
        let TryStart::Counted(verifier) = begin_try(&pool, &attempt).await.unwrap() else { panic!("not counted") };
        counted.push((attempt, verifier));
    }
    let counted = Arc::new(counted);
    let outcomes = at_once_behind(&pool, GATE, CALLERS, |number| {
        let (pool, counted) = (pool.clone(), Arc::clone(&counted));
        async move {
            let (attempt, verifier) = &counted[number as usize];
            finish_try(&pool, attempt, TryResult::Right(verifier)).await.unwrap()
        }
    })
    .await;
    assert_eq!(count(&outcomes, RedeemOutcome::Redeemed), 1);
    assert_eq!(count(&outcomes, RedeemOutcome::NoOpenPin), 31);
}

#[sqlx::test]
async fn r3_concurrent_wrong_tries_compare_no_more_than_three_times(_: PgPoolOptions, options: PgConnectOptions) {
    let pool = wide_pool(options);
    issued(&pool, PERSON, t0()).await;
    let compared = Arc::new(AtomicU32::new(0));
    let outcomes = at_once_behind(&pool, GATE, CALLERS, |_| {
        let (pool, compared) = (pool.clone(), Arc::clone(&compared));
        async move {
            let attempt = attempt(PERSON, t0());
            match begin_try(&pool, &attempt).await.unwrap() {
                TryStart::Counted(counted) => {
                    compared.fetch_add(1, Ordering::Relaxed);
                    finish_try(&pool, &attempt, TryResult::Wrong(&counted)).await.unwrap()
                }
                TryStart::Refused(refusal) => finish_try(&pool, &attempt, TryResult::Refused(refusal)).await.unwrap(),
                other => panic!("{other:?}"),
            }
        }
    })
    .await;
    assert_eq!(compared.load(Ordering::Relaxed), 3);
    assert!(count(&outcomes, RedeemOutcome::Revoked) >= 30, "{outcomes:?}");
    assert_eq!(one::<String>(&pool, "SELECT state FROM pin_requests").await, "revoked");
    assert_eq!(one::<i16>(&pool, "SELECT tries FROM pin_requests").await, 3);
}

#[sqlx::test]
async fn r4_concurrent_tries_do_not_exceed_the_persons_budget(_: PgPoolOptions, options: PgConnectOptions) {
    let pool = wide_pool(options);
    issued(&pool, PERSON, t0()).await;
    let outcomes = at_once_behind(&pool, GATE, CALLERS, |_| {
        let pool = pool.clone();
        async move {
            let budget = Limit { times: 5, per: DAY };
            begin_try(&pool, &RedemptionTry { max_tries: 100, wrong_tries: budget, ..attempt(PERSON, t0()) })
                .await
                .unwrap()
        }
    })
    .await;
    assert_eq!(outcomes.iter().filter(|start| matches!(start, TryStart::Counted(_))).count(), 5, "{outcomes:?}");
}

#[sqlx::test]
async fn r3_concurrent_repeats_count_once_and_agree(_: PgPoolOptions, options: PgConnectOptions) {
    let pool = wide_pool(options);
    issued(&pool, PERSON, t0()).await;
    let request_id = fresh_id();
    let outcomes = at_once(CALLERS, |_| {
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
    let TryStart::Counted(counted) = begin_try(&pool, &attempt).await.unwrap() else { panic!("not counted") };
    assert!(revoke_temporary_pin(&pool, &withdrawal(PERSON, t0())).await.unwrap());
    assert_eq!(finish_try(&pool, &attempt, TryResult::Right(&counted)).await.unwrap(), RedeemOutcome::Revoked);
}

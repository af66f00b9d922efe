//! R5 with 32 concurrent calls: one open PIN per person, one message.

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use temporary_pin::domain::person::PersonKey;
use temporary_pin::domain::reason::{Denial, Reason};
use temporary_pin::store::issuing::{IssueOutcome, PinOrder};
use temporary_pin::store::verifying::verifications::record;
use temporary_pin::store::withdrawal::cancel_access_request;
use test_support::store::*;
use uuid::Uuid;

const CALLERS: u64 = 32;
const GATE: &str = "SELECT FROM verifications FOR UPDATE";

fn count(outcomes: &[IssueOutcome], is: fn(&IssueOutcome) -> bool) -> usize {
    outcomes.iter().filter(|outcome| is(outcome)).count()
}

#[sqlx::test]
async fn r5_different_orders_at_once_issue_one_pin(_: PgPoolOptions, options: PgConnectOptions) {
    let pool = wide_pool(options);
    let mut verifications = Vec::new();
    for _ in 0..CALLERS {
        verifications.push(verified(&pool, PERSON, t0()).await);
    }
    let outcomes = run_concurrently_behind_lock(&pool, GATE, CALLERS, |number| {
        let (pool, verification) = (pool.clone(), verifications[number as usize]);
        async move { issue(&pool, &order(PERSON, verification, t0())).await.unwrap() }
    })
    .await;
    assert_one_pin(&outcomes);
    assert!(one::<bool>(&pool, "SELECT count(*) = 1 AND bool_and(sends = 1) FROM outbox").await);
    assert_eq!(one::<i64>(&pool, "SELECT count(*) FROM pin_requests").await, 1);
    assert_eq!(one::<i64>(&pool, "SELECT count(*) FROM requests").await, 32);
    // R21: every order that got the open PIN has used its verification for it.
    assert_eq!(one::<i64>(&pool, "SELECT count(*) FROM verifications WHERE pin_request_id IS NULL").await, 0);
}

#[sqlx::test]
async fn r5_concurrent_orders_with_one_verification_issue_one_pin(_: PgPoolOptions, options: PgConnectOptions) {
    let pool = wide_pool(options);
    let verification = verified(&pool, PERSON, t0()).await;
    let outcomes = run_concurrently_behind_lock(&pool, GATE, CALLERS, |_| {
        let pool = pool.clone();
        async move { issue(&pool, &order(PERSON, verification, t0())).await.unwrap() }
    })
    .await;
    assert_one_pin(&outcomes);
    assert_eq!(one::<i64>(&pool, "SELECT count(*) FROM outbox").await, 1);
}

fn assert_one_pin(outcomes: &[IssueOutcome]) {
    assert_eq!(count(outcomes, |outcome| matches!(outcome, IssueOutcome::Issued(_))), 1, "{outcomes:?}");
    assert_eq!(count(outcomes, |outcome| matches!(outcome, IssueOutcome::AlreadyOpen(_))), 31, "{outcomes:?}");
}

#[sqlx::test]
async fn r5_concurrent_repeats_issue_one_pin_and_replay_it(_: PgPoolOptions, options: PgConnectOptions) {
    let pool = wide_pool(options);
    let verification = verified(&pool, PERSON, t0()).await;
    let request_id = fresh_id();
    let outcomes = run_concurrently_behind_lock(&pool, GATE, CALLERS, |_| {
        let pool = pool.clone();
        async move { issue(&pool, &PinOrder { request_id, ..order(PERSON, verification, t0()) }).await.unwrap() }
    })
    .await;
    assert_eq!(count(&outcomes, |outcome| matches!(outcome, IssueOutcome::Issued(_))), 1);
    assert_eq!(count(&outcomes, |outcome| matches!(outcome, IssueOutcome::Replayed(_))), 31);
    let ids: std::collections::HashSet<Uuid> = outcomes
        .iter()
        .map(|outcome| match outcome {
            IssueOutcome::Issued(view) | IssueOutcome::Replayed(view) => view.id,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(ids.len(), 1);
    assert_eq!(one::<i64>(&pool, "SELECT count(*) FROM outbox").await, 1);
}

#[sqlx::test]
async fn r5_concurrent_resends_send_once(_: PgPoolOptions, options: PgConnectOptions) {
    let pool = wide_pool(options);
    let verification = verified(&pool, PERSON, t0()).await;
    issue(&pool, &order(PERSON, verification, t0())).await.unwrap();
    let outcomes = run_concurrently_behind_lock(&pool, "SELECT FROM pin_requests FOR UPDATE", CALLERS, |_| {
        let pool = pool.clone();
        async move { issue(&pool, &order(PERSON, verification, t0() + seconds(60))).await.unwrap() }
    })
    .await;
    assert_eq!(count(&outcomes, |outcome| matches!(outcome, IssueOutcome::Resent(_))), 1);
    assert_eq!(count(&outcomes, |outcome| matches!(outcome, IssueOutcome::AlreadyOpen(_))), 31);
    assert_eq!(one::<i16>(&pool, "SELECT sends FROM outbox").await, 2);
    assert_eq!(one::<i16>(&pool, "SELECT sends FROM pin_requests").await, 2);
}

#[sqlx::test]
async fn r5_concurrent_orders_after_an_expired_pin_issue_one(_: PgPoolOptions, options: PgConnectOptions) {
    let pool = wide_pool(options);
    let first = issued(&pool, PERSON, t0()).await;
    let now = first.expire_time;
    let verification = verified(&pool, PERSON, now).await;
    let outcomes = run_concurrently_behind_lock(&pool, GATE, CALLERS, |_| {
        let pool = pool.clone();
        async move { issue(&pool, &order(PERSON, verification, now)).await.unwrap() }
    })
    .await;
    assert_one_pin(&outcomes);
    assert_eq!(one::<i64>(&pool, "SELECT count(*) FROM pin_requests WHERE state = 'open'").await, 1);
    assert_eq!(one::<i64>(&pool, "SELECT count(*) FROM pin_requests WHERE state = 'expired'").await, 1);
}

#[sqlx::test]
async fn r21_a_verification_used_by_a_concurrent_order_allows_no_second_pin(
    _: PgPoolOptions,
    options: PgConnectOptions,
) {
    let pool = wide_pool(options);
    let verification = verified(&pool, PERSON, t0()).await;
    // It is used for another PIN request that is redeemed already, so no open PIN keeps the order from being issued.
    let mut other = pool.begin().await.unwrap();
    sqlx::query("UPDATE verifications SET pin_request_id = gen_random_uuid()").execute(&mut *other).await.unwrap();
    let order = order(PERSON, verification, t0());
    let commit = async {
        wait_until_all_wait(&pool, 1).await;
        other.commit().await.unwrap();
    };
    let (outcome, ()) = tokio::join!(issue(&pool, &order), commit);
    assert_eq!(outcome.unwrap(), IssueOutcome::Refused(Denial::lasting(Reason::VerificationUsed)));
    assert_eq!(one::<i64>(&pool, "SELECT count(*) FROM pin_requests").await, 0);
}

#[sqlx::test]
async fn r9_a_cancelled_hold_allows_no_pin_however_close_the_race(_: PgPoolOptions, options: PgConnectOptions) {
    let pool = wide_pool(options);
    for round in 0..16 {
        let person = PersonKey([100 + round; 32]);
        log_in_and_request_access(&pool, person, 2 * round, t0()).await;
        let later = t0() + DAY;
        let login = login(person, 2 * round + 1, later);
        record(&pool, &login, &LIMITS).await.unwrap();
        let order = web_order(person, login.id, later);
        let withdrawal = withdrawal(person, later);
        let (outcome, cancelled) = tokio::join!(issue(&pool, &order), cancel_access_request(&pool, &withdrawal));
        let is_issued = matches!(outcome.unwrap(), IssueOutcome::Issued(_));
        assert_ne!(is_issued, cancelled.unwrap(), "round {round}: either the PIN is issued or the hold is cancelled");
    }
}

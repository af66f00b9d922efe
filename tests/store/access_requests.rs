//! R6, R7, R8, R23: requests for access.

use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use temporary_pin::domain::hold::{Hold, HoldRules};
use temporary_pin::domain::reason::Reason;
use temporary_pin::store::holds::access_requests::{AccessOutcome, find_open};
use temporary_pin::store::verifying::verifications::{VerificationState, record};
use test_support::store::*;

fn hold_from(now: chrono::DateTime<chrono::Utc>) -> Hold {
    Hold::start(now, &HoldRules::default())
}

#[sqlx::test]
async fn r6_r8_the_first_login_starts_the_hold_and_later_ones_do_not_change_it(pool: PgPool) {
    let hold = hold_from(t0());
    assert_eq!(find_open(&pool, PERSON).await.unwrap(), None);
    for (nonce, now, outcome) in [
        (1, t0(), AccessOutcome::Opened(hold)),
        (2, hold.eligible_time - seconds(1), AccessOutcome::Running(hold)),
        (3, hold.eligible_time, AccessOutcome::Passed(hold)),
        (4, hold.expire_time - seconds(1), AccessOutcome::Passed(hold)),
    ] {
        assert_eq!(log_in_and_request_access(&pool, PERSON, nonce, now).await.1, outcome);
    }
    assert_eq!(find_open(&pool, PERSON).await.unwrap(), Some(hold));
    assert!(
        one::<bool>(
            &pool,
            "SELECT array_agg(kind ORDER BY kind) = '{access_requested,hold_passed}'
                AND array_agg(o.next_attempt_time ORDER BY kind) = ARRAY[min(request_time), min(eligible_time)]
                AND bool_and(o.id = ANY (a.notice_ids)) AND bool_and(o.sealed_body = 'sealed notice')
            FROM outbox o, access_requests a"
        )
        .await,
        "two notices, once"
    );
    assert_eq!(
        actions(&pool).await,
        ["identity_verified", "access_requested", "identity_verified", "identity_verified", "identity_verified"]
    );
}

#[sqlx::test]
async fn r7_an_expired_request_makes_room_for_a_new_hold(pool: PgPool) {
    let first = hold_from(t0());
    log_in_and_request_access(&pool, PERSON, 1, t0()).await;
    assert_eq!(find_open(&pool, PERSON).await.unwrap(), Some(first));
    let (_, outcome) = log_in_and_request_access(&pool, PERSON, 2, first.expire_time).await;
    assert_eq!(outcome, AccessOutcome::Opened(hold_from(first.expire_time)));
    assert!(
        one::<bool>(
            &pool,
            "SELECT count(*) = 2 FROM access_requests a JOIN outbox o ON o.id = ANY (a.notice_ids)
            WHERE a.state = 'expired' AND a.close_time = a.expire_time AND o.state = 'expired' AND o.sealed_body IS NULL"
        )
        .await
    );
}

#[sqlx::test]
async fn r18_r23_nothing_is_stored_for_a_used_login_and_failures_by_phone_do_not_matter(pool: PgPool) {
    log_in_and_request_access(&pool, PERSON, 1, t0()).await;
    let before = dump_tables(&pool).await;
    assert_eq!(log_in_and_request_access(&pool, OTHER, 1, t0()).await.1, AccessOutcome::NonceUsed);
    assert_eq!(dump_tables(&pool).await, before);

    for _ in 0..3 {
        let rejected = verification(OTHER, VerificationState::Rejected(Reason::IdentityNotConfirmed), t0());
        record(&pool, &rejected, &LIMITS).await.unwrap();
    }
    let (_, outcome) = log_in_and_request_access(&pool, OTHER, 2, t0()).await;
    assert_eq!(outcome, AccessOutcome::Opened(hold_from(t0())));
}

#[sqlx::test]
async fn r6_concurrent_logins_start_one_hold(_: PgPoolOptions, options: PgConnectOptions) {
    let pool = wide_pool(options);
    let outcomes = run_concurrently(32, |nonce| {
        let pool = pool.clone();
        async move { log_in_and_request_access(&pool, PERSON, nonce as u8, t0()).await.1 }
    })
    .await;
    let hold = hold_from(t0());
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == AccessOutcome::Opened(hold)).count(), 1);
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == AccessOutcome::Running(hold)).count(), 31);
    assert_eq!(one::<i64>(&pool, "SELECT count(*) FROM outbox").await, 2);
}

#[sqlx::test]
async fn r23_a_login_used_concurrently_is_accepted_once(_: PgPoolOptions, options: PgConnectOptions) {
    let pool = wide_pool(options);
    let outcomes = run_concurrently(32, |number| {
        let pool = pool.clone();
        let person = temporary_pin::domain::person::PersonKey([number as u8; 32]);
        async move { log_in_and_request_access(&pool, person, 9, t0()).await.1 }
    })
    .await;
    assert_eq!(outcomes.iter().filter(|outcome| matches!(outcome, AccessOutcome::Opened(_))).count(), 1);
    assert_eq!(outcomes.iter().filter(|outcome| matches!(outcome, AccessOutcome::NonceUsed)).count(), 31);
}

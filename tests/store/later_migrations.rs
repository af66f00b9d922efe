//! Orders for PINs after the migrations in `migrations/later`, when no instance of version 0.1.0 runs any more.

use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use temporary_pin::domain::reason::{Denial, Reason};
use temporary_pin::store::issuing::{IssueOutcome, PinOrder, find_replay};
use temporary_pin::store::verifying::verifications::record;
use test_support::store::*;

const WITHOUT_VERSION_0_1_0: &str = include_str!("../../migrations/later/0001_without_version_0_1_0.sql");

async fn apply(pool: &PgPool) {
    sqlx::raw_sql(WITHOUT_VERSION_0_1_0).execute(pool).await.unwrap();
}

#[sqlx::test]
async fn they_are_not_applied_yet(pool: PgPool) {
    let triggers = "SELECT count(*) FROM pg_trigger WHERE tgname = 'pin_requests_tell_version_0_1_0'";
    assert_eq!(one::<i64>(&pool, triggers).await, 1);
    apply(&pool).await;
    assert_eq!(one::<i64>(&pool, triggers).await, 0);
}

#[sqlx::test]
async fn an_order_writes_only_what_this_version_reads(pool: PgPool) {
    apply(&pool).await;
    issued(&pool, PERSON, t0()).await;
    assert!(
        one::<bool>(
            &pool,
            "SELECT NOT EXISTS (SELECT FROM requests)
                AND NOT EXISTS (SELECT FROM verifications WHERE pin_request_id IS NOT NULL)
                AND (SELECT count(*) = 1 FROM pin_requests JOIN outbox ON outbox.id = message_id)"
        )
        .await
    );
    assert_eq!(actions(&pool).await, ["identity_verified", "pin_issued"]);
}

#[sqlx::test]
async fn a_repeat_gets_the_first_answer_and_changes_nothing(pool: PgPool) {
    apply(&pool).await;
    let first = order(PERSON, verified(&pool, PERSON, t0()).await, t0());
    let IssueOutcome::Issued(view) = issue(&pool, &first).await.unwrap() else { panic!("no PIN") };
    redeem(&pool, &attempt(PERSON, t0()), true).await;
    let before = dump_tables(&pool).await;

    let repeat = PinOrder { request_id: first.request_id, ..order(PERSON, first.verification_id, t0() + hours(2)) };
    assert_eq!(issue(&pool, &repeat).await.unwrap(), IssueOutcome::Replayed(view.clone()));
    let replay = find_replay(&pool, "support", first.request_id, first.payload_digest).await.unwrap();
    assert_eq!(replay, Some(IssueOutcome::Replayed(view)));
    let other_payload = PinOrder { payload_digest: [9; 32], ..repeat };
    assert_eq!(issue(&pool, &other_payload).await.unwrap(), IssueOutcome::RequestIdReused);
    assert_eq!(dump_tables(&pool).await, before);
}

#[sqlx::test]
async fn r21_a_verification_serves_one_pin_request_and_its_resends(pool: PgPool) {
    apply(&pool).await;
    let verification = verified(&pool, PERSON, t0()).await;
    let again = |after| order(PERSON, verification, t0() + seconds(after));
    assert!(matches!(issue(&pool, &again(0)).await.unwrap(), IssueOutcome::Issued(_)));
    let open = again(1);
    let IssueOutcome::AlreadyOpen(view) = issue(&pool, &open).await.unwrap() else { panic!("not open") };
    assert_eq!(issue(&pool, &open).await.unwrap(), IssueOutcome::Replayed(view));
    assert!(matches!(issue(&pool, &again(60)).await.unwrap(), IssueOutcome::Resent(_)));

    redeem(&pool, &attempt(PERSON, t0() + seconds(90)), true).await;
    let used = IssueOutcome::Refused(Denial::lasting(Reason::VerificationUsed));
    assert_eq!(issue(&pool, &again(91)).await.unwrap(), used);

    // A verification with which no PIN was sent again is used as well: the PIN request names it.
    let verification = verified(&pool, OTHER, t0()).await;
    assert!(matches!(issue(&pool, &order(OTHER, verification, t0())).await.unwrap(), IssueOutcome::Issued(_)));
    redeem(&pool, &attempt(OTHER, t0()), true).await;
    assert_eq!(issue(&pool, &order(OTHER, verification, t0())).await.unwrap(), used);
}

#[sqlx::test]
async fn r21_orders_at_once_with_one_verification_issue_one_pin(_: PgPoolOptions, options: PgConnectOptions) {
    let pool = wide_pool(options);
    apply(&pool).await;
    let verification = verified(&pool, PERSON, t0()).await;
    let outcomes = run_concurrently(32, |_| {
        let pool = pool.clone();
        async move { issue(&pool, &order(PERSON, verification, t0())).await.unwrap() }
    })
    .await;
    assert_eq!(outcomes.iter().filter(|outcome| matches!(outcome, IssueOutcome::Issued(_))).count(), 1);
    assert!(outcomes.iter().all(|outcome| matches!(outcome, IssueOutcome::Issued(_) | IssueOutcome::AlreadyOpen(_))));
    assert_eq!(one::<i64>(&pool, "SELECT count(*) FROM outbox").await, 1);
}

#[sqlx::test]
async fn r6_r7_a_pin_on_the_web_uses_up_its_access_request(pool: PgPool) {
    apply(&pool).await;
    log_in_and_request_access(&pool, PERSON, 1, t0()).await;
    let later = t0() + DAY;
    let login = login(PERSON, 2, later);
    record(&pool, &login, &LIMITS).await.unwrap();
    assert!(matches!(issue(&pool, &web_order(PERSON, login.id, later)).await.unwrap(), IssueOutcome::Issued(_)));
    assert_eq!(one::<String>(&pool, "SELECT state FROM access_requests").await, "used");
}

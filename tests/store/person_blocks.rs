//! R9: blocking a person, also in races with orders.

use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use temporary_pin::domain::assurance::AssuranceLevel;
use temporary_pin::domain::person::PersonKey;
use temporary_pin::domain::reason::{Denial, Reason};
use temporary_pin::store::holds::access_requests::{AccessOutcome, find_open as find_open_access};
use temporary_pin::store::issuing::{IssueOutcome, PinOrder};
use temporary_pin::store::locks::INSERT_OR_BLOCK_CLASS;
use temporary_pin::store::messages::outbox::claim_due;
use temporary_pin::store::messages::{MessageKind, Notice};
use temporary_pin::store::operators::person_blocks::{
    BlockNotices, BlockOrder, BlockOutcome, PersonBlock, block_person, find_block, unblock_person,
};
use temporary_pin::store::verifying::verifications::{VerificationState, record};
use test_support::store::*;
use uuid::Uuid;

const CALLERS: u64 = 32;

/// The person's other pseudonym.
const BY_CPR: PersonKey = PersonKey([11; 32]);
const KEYS: [PersonKey; 2] = [PERSON, BY_CPR];

fn order_of(keys: &[PersonKey]) -> BlockOrder<'_> {
    BlockOrder { keys, operator: "olga", reason: "suspicion of fraud", now: t0() }
}

async fn block(pool: &PgPool) -> BlockOutcome {
    block_person(pool, &order_of(&KEYS), BlockNotices::default()).await.unwrap()
}

fn is_blocked(outcome: &IssueOutcome) -> bool {
    *outcome == IssueOutcome::Refused(Denial::lasting(Reason::PersonBlocked))
}

/// How many PINs can be redeemed. The state of an expired PIN is updated only when the next one is issued.
async fn count_open_pins(pool: &PgPool) -> i64 {
    let open = "SELECT count(*) FROM pin_requests WHERE state = 'open' AND expire_time > $1";
    sqlx::query_scalar(open).bind(t0()).fetch_one(pool).await.unwrap()
}

fn notice(kind: MessageKind) -> Notice {
    Notice { id: fresh_id(), kind, sealed_body: b"sealed notice".to_vec(), due_time: t0(), expire_time: t0() + DAY }
}

#[sqlx::test]
async fn r9_a_block_revokes_the_pin_cancels_access_and_tells_the_person(pool: PgPool) {
    issued(&pool, PERSON, t0()).await;
    log_in_and_request_access(&pool, PERSON, 1, t0()).await;
    issued(&pool, OTHER, t0()).await;
    let (pin, cancelled) = (notice(MessageKind::PinRevoked), notice(MessageKind::AccessCancelled));
    let notices = BlockNotices { pin_revoked: Some(&pin), access_cancelled: Some(&cancelled) };

    let blocked = block_person(&pool, &order_of(&KEYS), notices).await.unwrap();

    assert_eq!(blocked, BlockOutcome { is_new: true, pin_revoked: true, access_cancelled: true });
    assert_eq!(count_open_pins(&pool).await, 1, "the PIN of the other person");
    assert_eq!(find_open_access(&pool, PERSON).await.unwrap(), None);
    let due = claim_due(&pool, t0(), LEAST_VALIDITY, DAY, 10, fresh_id()).await.unwrap();
    let mut kinds: Vec<&str> = due.iter().map(|message| message.kind.as_str()).collect();
    kinds.sort_unstable();
    assert_eq!(kinds, ["access_cancelled", "pin", "pin_revoked"]);
    assert!(
        one::<bool>(&pool, "SELECT bool_and(kind = 'hold_passed') FROM outbox WHERE notice IS NOT NULL").await,
        "the kind that version 0.1.0 sends"
    );
    let again = block_person(&pool, &order_of(&KEYS), BlockNotices::default()).await.unwrap();
    assert_eq!(again, BlockOutcome { is_new: false, pin_revoked: false, access_cancelled: false });
    assert_eq!(
        actions(&pool).await[6..],
        ["person_blocked", "access_cancelled", "pin_revoked"],
        "recorded once; the repeat records nothing"
    );
}

/// A block under one pseudonym counts for orders under every other known pseudonym of the person.
#[sqlx::test]
async fn r9_a_block_counts_under_each_pseudonym_until_it_is_ended(pool: PgPool) {
    let verification = verified(&pool, PERSON, t0()).await;
    block_person(&pool, &order_of(&[BY_CPR]), BlockNotices::default()).await.unwrap();
    let order = PinOrder { keys: KEYS.to_vec(), ..order(PERSON, verification, t0()) };
    assert!(is_blocked(&issue(&pool, &order).await.unwrap()));
    let expected = PersonBlock { block_time: t0(), reason: "suspicion of fraud".into() };
    assert_eq!(find_block(&pool, &KEYS).await.unwrap(), Some(expected));
    assert_eq!(find_block(&pool, &[PERSON]).await.unwrap(), None);

    assert!(unblock_person(&pool, &order_of(&KEYS)).await.unwrap());
    assert!(!unblock_person(&pool, &order_of(&KEYS)).await.unwrap());

    assert!(matches!(issue(&pool, &order).await.unwrap(), IssueOutcome::Issued(_)));
    assert_eq!(actions(&pool).await, ["identity_verified", "person_blocked", "person_unblocked", "pin_issued"]);
}

/// Even if the order does not check blocks, as in version 0.1.0.
#[sqlx::test]
async fn r9_the_database_itself_refuses_a_blocked_persons_pin_and_access(pool: PgPool) {
    let verification = verified(&pool, PERSON, t0()).await;
    block(&pool).await;
    let before = dump_tables(&pool).await;
    issue(&pool, &PinOrder { keys: Vec::new(), ..order(PERSON, verification, t0()) }).await.unwrap_err();
    assert_eq!(log_in_and_request_access(&pool, PERSON, 1, t0()).await.1, AccessOutcome::Blocked);
    assert_eq!(dump_tables(&pool).await, before, "nothing is stored");
}

/// Each order has read that there is no block, and waits for the lock of the block; then the block commits.
#[sqlx::test]
async fn r9_orders_that_started_before_the_block_issue_no_pin_after_it(_: PgPoolOptions, options: PgConnectOptions) {
    let pool = wide_pool(options);
    let mut verifications = Vec::new();
    for _ in 0..CALLERS {
        verifications.push(verified(&pool, PERSON, t0()).await);
    }
    // What `block_person` does, in this order.
    let mut block = pool.begin().await.unwrap();
    let lock = "SELECT pg_advisory_xact_lock($1, block_lock($2))";
    sqlx::query(lock).bind(INSERT_OR_BLOCK_CLASS).bind(PERSON.0).execute(&mut *block).await.unwrap();
    let insert = "INSERT INTO person_blocks (person_key, block_time, reason) VALUES ($1, now(), 'stolen phone')";
    sqlx::query(insert).bind(PERSON.0).execute(&mut *block).await.unwrap();
    let orders = run_concurrently(CALLERS, |number| issue_for(&pool, verifications[number as usize]));
    let committing = async {
        wait_until_all_wait(&pool, CALLERS).await;
        block.commit().await.unwrap();
    };
    let (outcomes, ()) = tokio::join!(orders, committing);
    assert!(outcomes.iter().all(is_blocked), "{outcomes:?}");
    assert_eq!(one::<i64>(&pool, "SELECT count(*) FROM pin_requests").await, 0);
}

fn issue_for(pool: &PgPool, verification: Uuid) -> impl Future<Output = IssueOutcome> + Send + 'static {
    let pool = pool.clone();
    async move { issue(&pool, &PinOrder { keys: KEYS.to_vec(), ..order(PERSON, verification, t0()) }).await.unwrap() }
}

/// The order has inserted its PIN but not committed. The block waits for it and revokes that PIN.
#[sqlx::test]
async fn r9_a_pin_that_is_being_issued_is_revoked_by_the_block(_: PgPoolOptions, options: PgConnectOptions) {
    let pool = wide_pool(options);
    let order = order(PERSON, verified(&pool, PERSON, t0()).await, t0());
    // The last write of the issue statement waits for this one.
    let mut gate = pool.begin().await.unwrap();
    let taken = "INSERT INTO requests (caller, method, request_id, payload_digest, create_time)
        VALUES ('support', 'IssueTemporaryPin', $1, sha256('x'), now())";
    sqlx::query(taken).bind(order.request_id).execute(&mut *gate).await.unwrap();
    let blocking = async {
        wait_until_all_wait(&pool, 1).await;
        block(&pool).await
    };
    let opening = async {
        wait_until_all_wait(&pool, 2).await;
        gate.rollback().await.unwrap();
    };
    let (outcome, blocked, ()) = tokio::join!(issue(&pool, &order), blocking, opening);
    assert!(matches!(outcome.unwrap(), IssueOutcome::Issued(_)));
    assert_eq!(blocked, BlockOutcome { is_new: true, pin_revoked: true, access_cancelled: false });
    assert_eq!(count_open_pins(&pool).await, 0);
}

/// A PIN is issued after the first block has locked the open rows, so that the second block locks the new row. Neither block
/// may wait for the other.
#[sqlx::test]
async fn r9_two_concurrent_blocks_do_not_deadlock(_: PgPoolOptions, options: PgConnectOptions) {
    let pool = wide_pool(options);
    let order = order(PERSON, verified(&pool, PERSON, t0()).await, t0());
    let mut other_order = pool.begin().await.unwrap();
    let lock = "SELECT pg_advisory_xact_lock_shared($1, block_lock($2))";
    sqlx::query(lock).bind(INSERT_OR_BLOCK_CLASS).bind(PERSON.0).execute(&mut *other_order).await.unwrap();
    let mut gate = pool.begin().await.unwrap();
    let taken = "INSERT INTO requests (caller, method, request_id, payload_digest, create_time)
        VALUES ('support', 'IssueTemporaryPin', $1, sha256('x'), now())";
    sqlx::query(taken).bind(order.request_id).execute(&mut *gate).await.unwrap();
    let issuing = async {
        issue(&pool, &order).await.unwrap();
        // The first block now waits for the other order only.
        wait_until_all_wait(&pool, 1).await;
        let second = block(&pool);
        let opening = async {
            wait_until_all_wait(&pool, 2).await;
            other_order.rollback().await.unwrap();
        };
        tokio::join!(second, opening).0
    };
    let first = async {
        wait_until_all_wait(&pool, 1).await;
        block(&pool).await
    };
    let opening = async {
        wait_until_all_wait(&pool, 2).await;
        gate.rollback().await.unwrap();
    };
    let (second, first, ()) = tokio::join!(issuing, first, opening);
    assert_eq!([first.is_new, second.is_new], [true, false]);
    assert!(first.pin_revoked != second.pin_revoked, "{first:?} {second:?}");
    assert_eq!(count_open_pins(&pool).await, 0);
}

#[sqlx::test]
async fn r9_no_pin_is_open_after_a_block_during_32_orders(_: PgPoolOptions, options: PgConnectOptions) {
    let pool = wide_pool(options);
    for round in 0..8 {
        // In every other round there is an expired PIN that the new one replaces.
        if round % 2 == 1 {
            issued(&pool, PERSON, t0() - hours(48)).await;
        }
        let mut verifications = Vec::new();
        for _ in 0..CALLERS {
            verifications.push(verified(&pool, PERSON, t0()).await);
        }
        let orders = run_concurrently(CALLERS, |number| issue_for(&pool, verifications[number as usize]));
        let (outcomes, _) = tokio::join!(orders, block(&pool));
        let allowed =
            |it: &IssueOutcome| is_blocked(it) || matches!(it, IssueOutcome::Issued(_) | IssueOutcome::AlreadyOpen(_));
        assert!(outcomes.iter().all(allowed), "{outcomes:?}");
        assert_eq!(count_open_pins(&pool).await, 0, "round {round}");
        assert!(is_blocked(&issue_for(&pool, verified(&pool, PERSON, t0()).await).await));
        unblock_person(&pool, &order_of(&KEYS)).await.unwrap();
        sqlx::query("DELETE FROM pin_requests").execute(&pool).await.unwrap();
    }
}

/// On the web, the order also uses the access request that the block cancels.
#[sqlx::test]
async fn r9_on_the_web_either_the_order_or_the_block_is_first(_: PgPoolOptions, options: PgConnectOptions) {
    let pool = wide_pool(options);
    for round in 0..16 {
        let person = PersonKey([100 + round; 32]);
        log_in_and_request_access(&pool, person, 2 * round, t0() - DAY).await;
        let login = login(person, 2 * round + 1, t0());
        record(&pool, &login, &LIMITS).await.unwrap();
        let order = web_order(person, login.id, t0());
        let keys = [person];
        let blocking = order_of(&keys);
        let blocking = block_person(&pool, &blocking, BlockNotices::default());
        let (outcome, blocked) = tokio::join!(issue(&pool, &order), blocking);
        let blocked = blocked.unwrap();
        match outcome.unwrap() {
            IssueOutcome::Issued(_) => assert!(blocked.pin_revoked && !blocked.access_cancelled, "{blocked:?}"),
            IssueOutcome::Refused(_) => {
                assert!(!blocked.pin_revoked && blocked.access_cancelled, "{blocked:?}");
            }
            other => panic!("{other:?}"),
        }
    }
}

/// A verification from the time of the block gives no PIN either.
#[sqlx::test]
async fn r9_a_blocked_person_can_be_verified_but_gets_no_pin(pool: PgPool) {
    block(&pool).await;
    let verification = verification(PERSON, VerificationState::Verified(AssuranceLevel::Substantial), t0());
    record(&pool, &verification, &LIMITS).await.unwrap();
    assert!(is_blocked(&issue_for(&pool, verification.id).await));
}

//! The connections of batches: they stay with them, and nobody misses one.

use std::time::Duration;

use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use temporary_pin::domain::person::PersonKey;
use temporary_pin::domain::rules::{LimitRules, PinRules};
use temporary_pin::store::StoreError;
use temporary_pin::store::eligibility::PersonStatusReader;
use temporary_pin::store::issuing::{IssueOutcome, PinIssuer};
use temporary_pin::store::messages::handovers::Handovers;
use temporary_pin::store::messages::outbox::claim_due;
use test_support::store::*;

/// Time enough.
const CONNECTION_TIMEOUT: Duration = Duration::from_secs(10);

async fn issue_for(pool: &PgPool, orders: &PinIssuer, number: u8) -> Result<IssueOutcome, StoreError> {
    let person = PersonKey([number; 32]);
    orders.issue(order(person, verified(pool, person, t0()).await, t0())).await
}

/// Whether so many connections are with their batches. Those on their way back to the pool have arrived when it is so few.
async fn kept(pool: &PgPool, expected: usize) -> bool {
    let in_use = || pool.size() as usize - pool.num_idle();
    let returned = async {
        while in_use() > expected {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(CONNECTION_TIMEOUT, returned).await.is_ok() && in_use() == expected
}

#[sqlx::test]
async fn a_connection_stays_with_its_batches_until_the_pool_closes(pool: PgPool) {
    let orders = PinIssuer::new(pool.clone());
    for number in 0..5 {
        issue_for(&pool, &orders, number).await.unwrap();
    }
    assert!(kept(&pool, 1).await, "{pool:?}");
    tokio::time::timeout(CONNECTION_TIMEOUT, pool.close()).await.expect("it has all its connections back");
}

/// Four kinds of batches, and as few connections as can be configured.
#[sqlx::test]
async fn the_last_connection_stays_with_nobody(_: PgPoolOptions, options: PgConnectOptions) {
    for most in 1..=5 {
        let pool_options = PgPoolOptions::new().max_connections(most).acquire_timeout(CONNECTION_TIMEOUT);
        let pool = pool_options.connect_with(options.clone()).await.unwrap();
        let (orders, handovers) = (PinIssuer::new(pool.clone()), Handovers::new(&pool));
        let reader = PersonStatusReader::new(pool.clone(), &PinRules::default(), &LimitRules::default());
        for number in 0.. {
            issue_for(&pool, &orders, u8::try_from(most).unwrap() * 10 + number).await.unwrap();
            reader.read(subject(PERSON, t0())).await.unwrap();
            for message in claim_due(&pool, t0(), Duration::from_secs(60), 9, fresh_id()).await.unwrap() {
                assert!(handovers.begin_handover(&message, t0(), Duration::from_secs(10)).await.unwrap());
                handovers.record_acceptance(&message, None).await.unwrap();
            }
            // One that is on its way back to the pool counts as missing, so a batch may give back what it could keep.
            if number >= 2 && kept(&pool, most as usize - 1).await {
                break;
            }
            assert!(number < 9, "{most}: {pool:?}");
        }
        pool.acquire().await.unwrap();
        pool.close().await;
    }
}

#[sqlx::test]
async fn a_connection_that_was_lost_fails_one_batch_at_most(_: PgPoolOptions, options: PgConnectOptions) {
    let pool = PgPoolOptions::new().max_connections(2).connect_with(options).await.unwrap();
    let orders = PinIssuer::new(pool.clone());
    issue_for(&pool, &orders, 1).await.unwrap();
    assert!(kept(&pool, 1).await, "{pool:?}");
    let order = order(OTHER, verified(&pool, OTHER, t0()).await, t0());
    let end_others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid()";
    sqlx::query(end_others).execute(&pool).await.unwrap();
    let lost = orders.issue(order.clone()).await;
    assert!(matches!(lost, Err(StoreError::Unavailable(_))), "{lost:?}");
    assert!(matches!(orders.issue(order).await, Ok(IssueOutcome::Issued(_))));
}

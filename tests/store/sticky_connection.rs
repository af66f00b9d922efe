//! Batches keep their connections, and other callers still get one.

use std::time::Duration;

use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use temporary_pin::domain::person::PersonKey;
use temporary_pin::domain::rule_settings::Rules;
use temporary_pin::store::StoreError;
use temporary_pin::store::eligibility::PersonStatusReader;
use temporary_pin::store::issuing::{IssueOutcome, PinIssuer};
use temporary_pin::store::messages::handovers::Handovers;
use temporary_pin::store::messages::outbox::claim_due;
use test_support::store::*;

/// More than enough time for connections to come back to the pool.
const CONNECTION_TIMEOUT: Duration = Duration::from_secs(10);

async fn issue_for(pool: &PgPool, issuer: &PinIssuer, number: u8) -> Result<IssueOutcome, StoreError> {
    let person = PersonKey([number; 32]);
    issuer.issue(order(person, verified(pool, person, t0()).await, t0())).await
}

/// Whether batches keep exactly `expected` connections. Waits for connections that are on their way back to the pool.
async fn are_kept(pool: &PgPool, expected: usize) -> bool {
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
    let issuer = PinIssuer::new(pool.clone(), ORDER_RULES);
    for number in 0..5 {
        issue_for(&pool, &issuer, number).await.unwrap();
    }
    assert!(are_kept(&pool, 1).await, "{pool:?}");
    tokio::time::timeout(CONNECTION_TIMEOUT, pool.close()).await.expect("the kept connection goes back");
}

/// Four kinds of batches, and fewer connections than that.
#[sqlx::test]
async fn the_last_connection_is_not_kept(_: PgPoolOptions, options: PgConnectOptions) {
    for most in 1..=5 {
        let pool_options = PgPoolOptions::new().max_connections(most).acquire_timeout(CONNECTION_TIMEOUT);
        let pool = pool_options.connect_with(options.clone()).await.unwrap();
        let (issuer, handovers) = (PinIssuer::new(pool.clone(), ORDER_RULES), Handovers::new(&pool));
        let reader = PersonStatusReader::new(pool.clone(), &Rules::default(), LEAST_VALIDITY);
        for number in 0.. {
            issue_for(&pool, &issuer, u8::try_from(most).unwrap() * 10 + number).await.unwrap();
            reader.read(subject(PERSON, t0())).await.unwrap();
            for message in claim_due(&pool, t0(), LEAST_VALIDITY, Duration::from_secs(60), 9, fresh_id()).await.unwrap()
            {
                let (gateway_timeout, lease) = (Duration::from_secs(10), Duration::from_secs(60));
                assert!(handovers.begin_handover(&message, t0(), gateway_timeout, lease).await.unwrap());
                handovers.record_acceptance(&message, &"gateway".into(), None).await.unwrap();
            }
            // A connection that is on its way back counts as missing, so a batch may return one that it could have kept.
            if number >= 2 && are_kept(&pool, most as usize - 1).await {
                break;
            }
            assert!(number < 9, "{most}: {pool:?}");
        }
        pool.acquire().await.unwrap();
        pool.close().await;
    }
}

#[sqlx::test]
async fn a_lost_connection_fails_at_most_one_batch(_: PgPoolOptions, options: PgConnectOptions) {
    let pool = PgPoolOptions::new().max_connections(2).connect_with(options).await.unwrap();
    let issuer = PinIssuer::new(pool.clone(), ORDER_RULES);
    issue_for(&pool, &issuer, 1).await.unwrap();
    assert!(are_kept(&pool, 1).await, "{pool:?}");
    let order = order(OTHER, verified(&pool, OTHER, t0()).await, t0());
    let end_others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid()";
    sqlx::query(end_others).execute(&pool).await.unwrap();
    let lost = issuer.issue(order.clone()).await;
    assert!(matches!(lost, Err(StoreError::Unavailable(_))), "{lost:?}");
    assert!(matches!(issuer.issue(order).await, Ok(IssueOutcome::Issued(_))));
}

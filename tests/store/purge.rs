//! Retention.

use std::time::Duration;

use sqlx::PgPool;
use temporary_pin::domain::rules::Rules;
use temporary_pin::store::purge::{Retention, purge};

use crate::support::*;

#[sqlx::test]
async fn rows_go_when_their_time_is_over_and_not_before(pool: PgPool) {
    issued(&pool, PERSON, t0()).await;
    ask_for_access(&pool, OTHER, 1, t0()).await;
    let event = "WITH event AS (
            INSERT INTO audit_events (event_time, person_key, action, caller)
            VALUES ($1, sha256('x'), 'limits_looked_up', 'operator') RETURNING id
        )
        INSERT INTO audit_operators SELECT id, 'olga' FROM event";
    sqlx::query(event).bind(t0()).execute(&pool).await.unwrap();
    let reset = "INSERT INTO limit_resets VALUES (sha256('x'), 'person_pins', $1)";
    sqlx::query(reset).bind(t0()).execute(&pool).await.unwrap();
    let kept = DAY * 10;
    let retention = Retention {
        verifications: kept,
        access_requests: kept,
        pin_requests: kept,
        requests: kept,
        outbox: kept,
        audit_events: kept,
    };
    let before = everything(&pool).await;
    assert_eq!(purge(&pool, &retention, t0() + kept).await.unwrap(), 0);
    assert_eq!(everything(&pool).await, before);
    // 2 verifications, 1 access request, 1 PIN request, 1 answer, 3 messages, 1 reset. The audit has its own purge.
    assert_eq!(purge(&pool, &retention, t0() + kept + seconds(1)).await.unwrap(), 9);
    sqlx::query("TRUNCATE audit_agents, audit_events CASCADE").execute(&pool).await.unwrap();
    assert_eq!(everything(&pool).await, "");
}

#[sqlx::test]
async fn more_rows_than_a_batch_go_all_the_same(pool: PgPool) {
    sqlx::query(
        "INSERT INTO requests (caller, method, request_id, payload_digest, create_time)
        SELECT 'a', 'b', gen_random_uuid(), sha256('c'), $1 FROM generate_series(1, 2500)",
    )
    .bind(t0())
    .execute(&pool)
    .await
    .unwrap();
    assert_eq!(purge(&pool, &Retention::default(), t0() + DAY * 3).await.unwrap(), 2500);
}

#[test]
fn settings_that_would_delete_what_the_rules_count_are_named() {
    let rules = Rules::default();
    assert_eq!(Retention::default().too_short(&rules).next(), None);
    let days = |count: u32| DAY * count;
    let of = |change: fn(&mut Retention)| {
        let mut retention = Retention::default();
        change(&mut retention);
        retention.too_short(&rules).next()
    };
    assert_eq!(of(|retention| retention.verifications = DAY * 119), Some(("verifications", days(120))));
    assert_eq!(of(|retention| retention.requests = DAY - Duration::from_secs(1)), Some(("requests", days(1))));
    assert_eq!(
        of(|retention| retention.pin_requests = DAY),
        Some(("pin_requests", days(1) + Duration::from_secs(600)))
    );
    assert_eq!(of(|retention| retention.access_requests = DAY), Some(("access_requests", days(2))));
    assert_eq!(of(|retention| retention.outbox = DAY), Some(("outbox", days(2))));
}

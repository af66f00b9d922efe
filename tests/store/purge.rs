//! Retention.

use std::time::Duration;

use sqlx::PgPool;
use temporary_pin::domain::rule_settings::Rules;
use temporary_pin::random::{secure, time_ordered_uuid};
use temporary_pin::store::upkeep::purge::{Retention, delete_old_rows};
use test_support::store::*;
use uuid::Uuid;

#[sqlx::test]
async fn rows_are_deleted_after_their_retention_and_not_before(pool: PgPool) {
    issued(&pool, PERSON, t0()).await;
    log_in_and_request_access(&pool, OTHER, 1, t0()).await;
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
    let before = dump_tables(&pool).await;
    assert_eq!(delete_old_rows(&pool, &retention, t0() + kept).await.unwrap(), 0);
    assert_eq!(dump_tables(&pool).await, before);
    // 2 verifications, 1 access request, 1 PIN request, 1 answer, 3 messages, 1 reset. The audit has its own purge.
    assert_eq!(delete_old_rows(&pool, &retention, t0() + kept + seconds(1)).await.unwrap(), 9);
    sqlx::query("TRUNCATE audit_agents, audit_events CASCADE").execute(&pool).await.unwrap();
    assert_eq!(dump_tables(&pool).await, "");
}

#[sqlx::test]
async fn more_rows_than_one_batch_are_deleted(pool: PgPool) {
    let (old, young) = (t0(), t0() + DAY);
    for (count, time) in [(2500, old), (1200, young)] {
        let ids: Vec<Uuid> = (0..count).map(|_| time_ordered_uuid(time, &mut secure())).collect();
        sqlx::query(
            "WITH messages AS (
                INSERT INTO outbox (id, person_key, kind, state, next_attempt_time, expire_time, create_time)
                SELECT id, sha256('a'), 'pin', 'accepted', $2, $2, $2 FROM unnest($1::uuid[]) AS id
            )
            INSERT INTO requests (caller, method, request_id, payload_digest, create_time)
            SELECT 'a', 'b', gen_random_uuid(), sha256('c'), $2 FROM unnest($1::uuid[])",
        )
        .bind(ids)
        .bind(time)
        .execute(&pool)
        .await
        .unwrap();
    }
    let retention = Retention { requests: DAY * 3, outbox: DAY * 3, ..Retention::default() };
    assert_eq!(delete_old_rows(&pool, &retention, old + DAY * 3).await.unwrap(), 0);
    assert_eq!(delete_old_rows(&pool, &retention, old + DAY * 3 + seconds(1)).await.unwrap(), 5000);
    assert_eq!(delete_old_rows(&pool, &retention, young + DAY * 3 + seconds(1)).await.unwrap(), 2400);
}

#[test]
fn settings_that_would_delete_rows_that_the_rules_count_are_listed() {
    let rules = Rules::default();
    assert_eq!(Retention::default().settings_too_short(&rules).next(), None);
    let days = |count: u32| DAY * count;
    let too_short = |change: fn(&mut Retention)| {
        let mut retention = Retention::default();
        change(&mut retention);
        retention.settings_too_short(&rules).next()
    };
    assert_eq!(too_short(|retention| retention.verifications = DAY * 119), Some(("verifications", days(120))));
    assert_eq!(too_short(|retention| retention.requests = DAY - Duration::from_secs(1)), Some(("requests", days(1))));
    assert_eq!(
        too_short(|retention| retention.pin_requests = DAY),
        Some(("pin_requests", days(1) + Duration::from_secs(600)))
    );
    assert_eq!(too_short(|retention| retention.access_requests = DAY), Some(("access_requests", days(2))));
    assert_eq!(too_short(|retention| retention.outbox = DAY), Some(("outbox", days(2))));
}

//! A purge is recorded in the chain of seals. Rows that were deleted without a record are not mistaken for purged ones.

use sqlx::{AssertSqlSafe, PgPool};
use temporary_pin::audit::{Finding, purge};
use temporary_pin::store::audit::audit_seals::count_waiting;
use test_support::store::*;

use crate::world::World;

/// Three seals over three or four events each, of the hours 1, 2 and 3, and one event that is not sealed.
async fn sealed(pool: PgPool) -> World {
    let world = World::new(pool);
    for hour in [1, 2, 3] {
        world.issue(hour).await;
        world.seal().await;
    }
    verified(&world.pool, OTHER, t0() + hours(4)).await;
    set_minimum_retention(&world, "-100 years").await;
    world
}

/// Sets how long rows must be kept. The database compares it with its own clock, which the tests do not control: a large
/// negative value allows every purge.
async fn set_minimum_retention(world: &World, kept_for: &str) {
    let sql = format!("UPDATE audit_retention SET kept_for = '{kept_for}'");
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&world.pool).await.unwrap();
}

/// Purges the events before that hour.
async fn purge_before(world: &World, hour: i64) -> u64 {
    purge(&world.pool, &world.keys, t0() + hours(hour), t0() + hours(5)).await.unwrap()
}

#[sqlx::test]
async fn a_purge_deletes_whole_batches_and_keeps_the_chain_valid(pool: PgPool) {
    let world = sealed(pool).await;
    let all = world.verify().await.unwrap().events;
    assert_eq!(purge_before(&world, 1).await, 0);
    let deleted = purge_before(&world, 3).await;
    assert!(deleted > 0);
    let report = world.verify().await.unwrap();
    assert_eq!((report.purged, report.events, report.seals), (deleted, all - deleted, 4));
    assert_eq!(one::<i64>(&world.pool, "SELECT count(*) FROM audit_agents").await, 3, "agents go with their events");
    assert_eq!(purge_before(&world, 3).await, 0);
    // Events that are not sealed are not purged.
    assert_eq!(purge_before(&world, 9).await, all - deleted);
    assert_eq!(count_waiting(&world.pool).await.unwrap().events, 1);
    world.seal().await;
    let report = world.verify().await.unwrap();
    assert_eq!((report.purged, report.events), (all, 1));
}

#[sqlx::test]
async fn the_database_refuses_to_purge_before_the_minimum_retention(pool: PgPool) {
    let world = sealed(pool).await;
    set_minimum_retention(&world, "100 years").await;
    assert_eq!(purge_before(&world, 9).await, 0);
    let error =
        sqlx::query("SELECT purge_audit(last_event_id) FROM audit_seals WHERE number = 1").execute(&world.pool).await;
    assert!(error.unwrap_err().to_string().contains("not all old enough"));
    let error = sqlx::query("SELECT purge_audit(1)").execute(&world.pool).await;
    assert!(error.unwrap_err().to_string().contains("does not end a sealed batch"));
    assert_eq!(world.verify().await.unwrap().purged, 0);
}

/// An attacker who has the database rights of the service, but not its keys.
#[sqlx::test]
async fn a_deletion_without_the_keys_is_detected(pool: PgPool) {
    let world = sealed(pool).await;
    world.keep().await;
    let delete = "SELECT purge_audit(last_event_id) FROM audit_seals WHERE number = 2";
    world.tamper(delete).await;
    assert_eq!(world.verify().await, Err(Finding::PurgeNotRecorded { seal: 1 }));
    world.restore().await;

    let forge =
        "INSERT INTO audit_seals SELECT 4, version, seal_time, last_event_id, last_event_id, 0, NULL, NULL, NULL,
        entries_digest, (SELECT last_event_id FROM audit_seals WHERE number = 2), mac, key_id, sha256('a guess')
        FROM audit_seals WHERE number = 3";
    world.tamper(format!("{forge}; {delete}")).await;
    assert_eq!(world.verify().await, Err(Finding::PurgeNotRecorded { seal: 1 }));
    world.restore().await;

    // A deletion of more events after a genuine purge.
    purge_before(&world, 2).await;
    world.tamper(delete).await;
    assert_eq!(world.verify().await, Err(Finding::PurgeNotRecorded { seal: 2 }));
}

#[sqlx::test]
async fn a_row_inserted_into_a_purged_range_is_detected(pool: PgPool) {
    let world = sealed(pool).await;
    world.keep().await;
    purge_before(&world, 2).await;
    world.tamper("INSERT INTO audit_events OVERRIDING SYSTEM VALUE SELECT * FROM kept_events WHERE id = 2").await;
    assert!(matches!(world.verify().await, Err(Finding::Inserted { event: 2, .. })));
}

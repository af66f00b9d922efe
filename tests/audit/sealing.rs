//! Every event is sealed exactly once, whatever runs concurrently, and no writer waits for a sealer.

use std::sync::{Arc, mpsc};
use std::time::Duration;

use sqlx::{PgConnection, PgPool};
use temporary_pin::audit::Finding;
use temporary_pin::domain::person::PersonKey;
use temporary_pin::keys::{KeyPurpose, KeyRing, RingFile};
use temporary_pin::random;
use temporary_pin::store::audit::audit_horizon::read_horizon;
use temporary_pin::store::audit::audit_seals::{Seal, count_waiting, seal_events};
use temporary_pin::store::audit::sealed_events::Unsealed;
use test_support::store::*;

use crate::world::World;

const EVENT: &str = "INSERT INTO audit_events (event_time, person_key, action, caller)
    VALUES ('2026-09-21T15:13:20Z', sha256('somebody'), 'pin_issued', 'test')";

async fn insert_event(connection: &mut PgConnection) {
    sqlx::query(EVENT).execute(connection).await.unwrap();
}

#[sqlx::test]
async fn without_new_events_nothing_is_sealed(pool: PgPool) {
    let world = World::new(pool);
    assert_eq!(world.seal().await, 0);
    assert_eq!(world.verify().await.unwrap().head, None);
    world.issue(1).await;
    assert_eq!(count_waiting(&world.pool).await.unwrap().oldest, Some(t0() + hours(1)));
    assert_eq!((world.seal().await, world.seal().await), (1, 0));
    assert_eq!(count_waiting(&world.pool).await.unwrap(), Unsealed::default());
}

#[sqlx::test]
async fn an_event_that_is_committed_late_is_not_missed(pool: PgPool) {
    let world = World::new(pool);
    let mut late = world.pool.begin().await.unwrap();
    insert_event(&mut late).await;
    world.issue(1).await;
    let mut sealer = world.sealer();
    assert_eq!(sealer.run_round().await.unwrap(), 0, "event 1 is not committed yet");
    assert_eq!(count_waiting(&world.pool).await.unwrap().events, 4);
    // A transaction that starts after the horizon was read does not hold it back.
    let mut later = world.pool.begin().await.unwrap();
    insert_event(&mut later).await;
    assert_eq!(sealer.run_round().await.unwrap(), 0);
    late.commit().await.unwrap();
    assert_eq!(sealer.run_round().await.unwrap(), 1);
    assert_eq!(world.verify().await.unwrap().events, 5);
    later.rollback().await.unwrap();
    world.issue(2).await;
    assert_eq!(sealer.run_round().await.unwrap(), 1);
    let report = world.verify().await.unwrap();
    assert_eq!((report.events, report.waiting), (8, 0));
}

/// A writer holds the horizon back as soon as its statement has the table lock, even before it gets an id.
#[sqlx::test]
async fn a_writer_holds_the_horizon_back_before_its_event_has_an_id(pool: PgPool) {
    let world = World::new(pool);
    // A statement that has the table lock, and waits before it gets an id.
    let gate = "CREATE FUNCTION gate() RETURNS boolean LANGUAGE sql AS 'SELECT pg_advisory_xact_lock(77) IS NOT NULL'";
    sqlx::query(gate).execute(&world.pool).await.unwrap();
    let mut gate_keeper = world.pool.begin().await.unwrap();
    sqlx::query("SELECT pg_advisory_xact_lock(77)").execute(&mut *gate_keeper).await.unwrap();
    let pool = world.pool.clone();
    let writer = tokio::spawn(async move {
        let statement = "INSERT INTO audit_events (event_time, person_key, action, caller)
            SELECT '2026-09-21T15:13:20Z', sha256('somebody'), 'pin_issued', 'test' WHERE gate()";
        sqlx::query(statement).execute(&pool).await.unwrap();
    });
    wait_until_all_wait(&world.pool, 1).await;
    world.issue(1).await;
    let mut sealer = world.sealer();
    assert_eq!(sealer.run_round().await.unwrap(), 0);
    gate_keeper.commit().await.unwrap();
    writer.await.unwrap();
    sealer.run_round().await.unwrap();
    world.verify().await.unwrap();
    assert_eq!(count_waiting(&world.pool).await.unwrap().events, 0);
}

#[sqlx::test]
async fn many_events_need_several_seals(pool: PgPool) {
    let world = World::new(pool);
    let many =
        format!("{} FROM generate_series(1, 2500)", EVENT.replace("VALUES (", "SELECT ").replace("'test')", "'test'"));
    world.tamper(many).await;
    assert_eq!(world.seal().await, 3);
    assert_eq!(world.verify().await.unwrap().events, 2500);
}

/// Concurrent sealers and writers. Some of the writers roll back.
#[sqlx::test]
async fn concurrent_sealers_and_writers_seal_every_event_once(
    _: sqlx::postgres::PgPoolOptions,
    options: sqlx::postgres::PgConnectOptions,
) {
    let pool = wide_pool(options);
    let world = World::new(pool.clone());
    let write = |number: u64| {
        let pool = pool.clone();
        async move {
            for round in 0..20 {
                let mut transaction = pool.begin().await.unwrap();
                insert_event(&mut transaction).await;
                insert_event(&mut transaction).await;
                if (number + round).is_multiple_of(5) {
                    transaction.rollback().await.unwrap();
                } else {
                    transaction.commit().await.unwrap();
                }
            }
        }
    };
    let seal = |_| {
        let mut sealer = world.sealer();
        async move {
            for _ in 0..30 {
                sealer.run_round().await.unwrap();
            }
        }
    };
    tokio::join!(run_concurrently(16, write), run_concurrently(8, seal));
    world.seal().await;
    let report = world.verify().await.unwrap();
    assert_eq!((report.events, report.waiting), (16 * 20 * 2 * 4 / 5, 0));
}

/// While a sealing transaction is open, PINs can be issued, and a second sealer seals nothing.
#[sqlx::test]
async fn writers_do_not_wait_for_a_sealer(pool: PgPool) {
    let world = World::new(pool);
    world.issue(1).await;
    let (is_open, opened) = tokio::sync::oneshot::channel();
    let (resume, resumed) = mpsc::channel::<()>();
    let pool = world.pool.clone();
    // In its own thread, which the test can block in the middle of the transaction.
    let sealing = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let is_open = std::sync::Mutex::new(Some(is_open));
        runtime.block_on(async {
            let pool = PgPool::connect_with(pool.connect_options().as_ref().clone()).await.unwrap();
            let horizon = read_horizon(&pool, t0()).await.unwrap();
            let sealed = seal_events(&pool, &horizon, |_, events, _| {
                is_open.lock().unwrap().take().unwrap().send(()).unwrap();
                resumed.recv().unwrap();
                Ok(test_seal(events.last().unwrap().id))
            });
            sealed.await.unwrap().unwrap();
        });
    });
    opened.await.unwrap();
    let without_waiting = async {
        issued(&world.pool, PersonKey([9; 32]), t0() + hours(1)).await;
        assert_eq!(world.seal().await, 0, "only one sealer seals");
    };
    tokio::time::timeout(Duration::from_secs(20), without_waiting).await.expect("no writer waits");
    resume.send(()).unwrap();
    sealing.join().unwrap();
}

/// Seals from before a rotation are verified with the key that made them, as long as the key ring has it.
#[sqlx::test]
async fn seals_from_before_a_key_rotation_stay_valid(pool: PgPool) {
    let mut file = RingFile::generate(&mut random::secure());
    let first = file.to_text();
    file.add(KeyPurpose::Audit, true, &mut random::secure());
    let rotated = file.to_text();
    let mut world = World::new(pool);
    for (ring, hour) in [(&first, 1), (&rotated, 2)] {
        world.keys = Arc::new(KeyRing::parse(ring).unwrap());
        world.issue(hour).await;
        world.seal().await;
    }
    let ids = "SELECT array_agg(key_id ORDER BY number) FROM audit_seals";
    assert_eq!(one::<Vec<i32>>(&world.pool, ids).await, [1, 2]);
    assert_eq!(world.verify().await.unwrap().seals, 2);
    world.keys = Arc::new(KeyRing::parse(&first).unwrap());
    assert_eq!(world.verify().await, Err(Finding::SealNotGenuine { seal: 2, key_id: 2 }));
}

fn test_seal(last_event_id: i64) -> Seal {
    Seal {
        number: 1,
        version: 1,
        seal_time: t0(),
        after_event_id: 0,
        last_event_id,
        event_count: 0,
        last_event_time: None,
        complete_time: None,
        entries: None,
        entries_digest: vec![0; 32],
        purged_to: None,
        previous_mac: vec![0; 32],
        key_id: 1,
        mac: vec![0; 32],
    }
}

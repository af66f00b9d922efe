//! Every kind of tampering is detected and named.

use sqlx::PgPool;
use temporary_pin::audit::{EventTable, Finding, SealHead, VerifyError, verify};
use test_support::store::*;

use crate::world::World;

/// Three seals over the events 1 to 4, 6 to 8 and 9 to 12. No event has the id 5. The events of web logins have no agent; only
/// the last event has an operator.
async fn sealed(pool: PgPool) -> World {
    let world = World::new(pool);
    world.issue(1).await;
    sqlx::query("SELECT nextval('audit_events_id_seq')").execute(&world.pool).await.unwrap();
    assert_eq!(world.seal().await, 1);
    for hour in [2, 3] {
        world.issue(hour).await;
        if hour == 3 {
            world.look_up(hour).await;
        }
        assert_eq!(world.seal().await, 1);
    }
    let report = world.verify().await.unwrap();
    assert_eq!((report.seals, report.events, report.waiting), (3, 11, 0));
    world.keep().await;
    world
}

#[sqlx::test]
async fn an_altered_event_is_found(pool: PgPool) {
    let world = sealed(pool).await;
    world.tamper("ALTER TABLE audit_events DROP CONSTRAINT audit_events_purpose_check").await;
    // All columns of the table, so that the test covers columns that are added later.
    for (column, value) in world.other_values("audit_events").await {
        if column == "id" {
            continue;
        }
        world.tamper(format!("UPDATE audit_events SET {column} = {value} WHERE id = 7")).await;
        let finding = world.verify().await.unwrap_err();
        assert_eq!(finding, Finding::Altered { table: EventTable::Event, event: 7, seal: 2 }, "{column}");
        world.restore().await;
    }
}

#[sqlx::test]
async fn a_value_that_is_removed_or_moved_to_another_column_is_found(pool: PgPool) {
    let world = sealed(pool).await;
    for change in ["channel = NULL", "channel = ''", "channel = caller, caller = channel"] {
        world.tamper(format!("UPDATE audit_events SET {change} WHERE id = 3")).await;
        assert_eq!(
            world.verify().await,
            Err(Finding::Altered { table: EventTable::Event, event: 3, seal: 1 }),
            "{change}"
        );
        world.restore().await;
    }
}

#[sqlx::test]
async fn a_removed_event_is_found(pool: PgPool) {
    let world = sealed(pool).await;
    for (event, seal) in [(1, 1), (4, 1), (6, 2)] {
        world
            .tamper(format!(
                "DELETE FROM audit_events WHERE id = {event}; DELETE FROM audit_agents WHERE audit_event_id = {event}"
            ))
            .await;
        assert_eq!(world.verify().await, Err(Finding::Removed { table: EventTable::Event, event, seal }));
        world.restore().await;
    }
    // A copy of the event with another id does not replace it.
    world
        .tamper(
            "INSERT INTO audit_events OVERRIDING SYSTEM VALUE
            SELECT 5, event_time, person_key, action, channel, caller, reason FROM audit_events WHERE id = 4;
            DELETE FROM audit_events WHERE id = 4",
        )
        .await;
    assert_eq!(world.verify().await, Err(Finding::Removed { table: EventTable::Event, event: 4, seal: 1 }));
}

#[sqlx::test]
async fn an_inserted_event_is_found(pool: PgPool) {
    let world = sealed(pool).await;
    for event in [-7, 0, 5] {
        world
            .tamper(format!(
                "INSERT INTO audit_events (id, event_time, person_key, action, caller) OVERRIDING SYSTEM VALUE
            SELECT {event}, event_time, person_key, action, caller FROM audit_events WHERE id = 4"
            ))
            .await;
        assert_eq!(world.verify().await, Err(Finding::Inserted { table: EventTable::Event, event }));
        world.restore().await;
    }
}

/// It is found before and after it is sealed.
#[sqlx::test]
async fn a_backdated_event_is_found(pool: PgPool) {
    let world = sealed(pool).await;
    world
        .tamper(
            "INSERT INTO audit_events (event_time, person_key, action, caller)
            SELECT event_time, person_key, action, caller FROM audit_events WHERE id = 4",
        )
        .await;
    let finding = || Finding::Backdated { event: 13, event_time: t0() + hours(1), by: t0() + hours(3) };
    assert_eq!(world.verify().await, Err(finding()));
    world.seal().await;
    assert_eq!(world.verify().await, Err(finding()));
}

#[sqlx::test]
async fn an_altered_removed_or_inserted_agent_or_operator_is_found(pool: PgPool) {
    let world = sealed(pool).await;
    for (table, present, seal, other) in [
        (EventTable::Agent, "SELECT min(audit_event_id) FROM audit_agents", 1, "(6, sha256('me'))"),
        (EventTable::Operator, "SELECT min(audit_event_id) FROM audit_operators", 3, "(6, 'me')"),
    ] {
        let name = table.name();
        let event = one::<i64>(&world.pool, present).await;
        for (column, value) in world.other_values(name).await {
            if column == "audit_event_id" {
                continue;
            }
            world.tamper(format!("UPDATE {name} SET {column} = {value} WHERE audit_event_id = {event}")).await;
            assert_eq!(world.verify().await, Err(Finding::Altered { table, event, seal }), "{column}");
            world.restore().await;
        }
        world.tamper(format!("DELETE FROM {name} WHERE audit_event_id = {event}")).await;
        assert_eq!(world.verify().await, Err(Finding::Removed { table, event, seal }));
        world.restore().await;
        world.tamper(format!("INSERT INTO {name} VALUES {other}")).await;
        assert_eq!(world.verify().await, Err(Finding::Inserted { table, event: 6 }));
        world.restore().await;
    }
}

#[sqlx::test]
async fn an_altered_seal_is_found(pool: PgPool) {
    let world = sealed(pool).await;
    let genuine = Finding::SealNotGenuine { seal: 2, key_id: 1 };
    for (column, value) in world.other_values("audit_seals").await {
        if column == "number" {
            continue;
        }
        world.tamper(format!("UPDATE audit_seals SET {column} = {value} WHERE number = 2")).await;
        let expected = match column.as_str() {
            "key_id" => Finding::SealNotGenuine { seal: 2, key_id: 2 },
            _ => genuine.clone(),
        };
        assert_eq!(world.verify().await, Err(expected), "{column}");
        world.restore().await;
    }
    // Entries of another seal, with their matching digest.
    world.tamper("UPDATE audit_seals s SET entries = o.entries, entries_digest = o.entries_digest FROM audit_seals o WHERE s.number = 2 AND o.number = 3").await;
    assert_eq!(world.verify().await, Err(genuine));
}

#[sqlx::test]
async fn a_removed_or_added_seal_is_found(pool: PgPool) {
    let world = sealed(pool).await;
    for seal in [1, 2] {
        world.tamper(format!("DELETE FROM audit_seals WHERE number = {seal}")).await;
        assert_eq!(world.verify().await, Err(Finding::SealRemoved { seal }));
        world.restore().await;
    }
    world.tamper("CREATE TEMP TABLE copy AS SELECT * FROM audit_seals WHERE number = 3; UPDATE copy SET number = 4; INSERT INTO audit_seals TABLE copy").await;
    assert_eq!(world.verify().await, Err(Finding::SealNotGenuine { seal: 4, key_id: 1 }));
}

#[sqlx::test]
async fn removed_last_seals_are_found_by_a_kept_head(pool: PgPool) {
    let world = sealed(pool).await;
    let head = world.verify().await.unwrap().head.unwrap();
    let verify = async || verify(&world.pool, &world.keys, 1, Some(&head), t0() + hours(4)).await;
    assert_eq!(verify().await.unwrap().head.as_ref(), Some(&head));
    world.tamper("DELETE FROM audit_seals WHERE number = 3").await;
    assert_eq!(world.verify().await.unwrap().waiting, 4, "without a kept head only the waiting events show it");
    let expect = async |what: &str| match verify().await {
        Err(VerifyError::Tampered(finding)) => assert_eq!(finding, Finding::HeadRemoved(head.clone()), "{what}"),
        other => panic!("{what}: {other:?}"),
    };
    expect("removed").await;
    // The service seals the events again, an hour later.
    world.issue(4).await;
    world.seal().await;
    expect("replaced").await;
    world.tamper("DELETE FROM audit_seals").await;
    expect("all removed").await;
}

#[sqlx::test]
async fn a_verification_can_start_at_a_later_seal(pool: PgPool) {
    let world = sealed(pool).await;
    world.tamper("DELETE FROM audit_seals WHERE number = 1; UPDATE audit_events SET reason = 'x' WHERE id = 2").await;
    let verify = async |from| verify(&world.pool, &world.keys, from, None, t0() + hours(4)).await;
    assert_eq!(verify(2).await.unwrap().seals, 2);
    assert_eq!(verify(3).await.unwrap().events, 4);
    assert!(matches!(verify(4).await, Err(VerifyError::Tampered(Finding::SealRemoved { seal: 4 }))));
    assert!(matches!(verify(1).await, Err(VerifyError::Tampered(Finding::SealRemoved { seal: 1 }))));
}

/// The service's role may insert rows, also seals. It has no key.
#[sqlx::test]
async fn a_forged_seal_is_found_and_nothing_is_sealed_upon_it(pool: PgPool) {
    let world = sealed(pool).await;
    world
        .tamper(
            "INSERT INTO audit_seals SELECT 4, version, seal_time, last_event_id, 9000000000000000000, 0, NULL, NULL, NULL,
                entries_digest, NULL, mac, key_id, sha256('forged') FROM audit_seals WHERE number = 3",
        )
        .await;
    let finding = Finding::SealNotGenuine { seal: 4, key_id: 1 };
    assert_eq!(world.verify().await, Err(finding.clone()));
    world.look_up(4).await;
    assert_eq!(world.sealer().run_round().await, Ok(0), "it says that all events are sealed");
    world.tamper("UPDATE audit_seals SET last_event_id = after_event_id WHERE number = 4").await;
    let refused = world.sealer().run_round().await.unwrap_err().to_string();
    assert!(refused.contains("seal 4 is not genuine"), "{refused}");
    assert_eq!(world.verify().await, Err(finding));
}

#[sqlx::test]
async fn an_impossible_time_is_named_and_stops_no_sealer(pool: PgPool) {
    let world = sealed(pool).await;
    for time in ["infinity", "-infinity", "294276-12-31", "4714-11-24 BC"] {
        let event = format!(
            "INSERT INTO audit_events (id, event_time, person_key, action, caller) OVERRIDING SYSTEM VALUE
            VALUES (13, '{time}', sha256('somebody'), 'pin_issued', 'test')"
        );
        let refused =
            sqlx::query(sqlx::AssertSqlSafe(event.clone())).execute(&world.pool).await.unwrap_err().to_string();
        assert!(refused.contains("times_are_possible"), "{time}: {refused}");
        // With the rights of the owner it can be inserted.
        let without = "ALTER TABLE audit_events DROP CONSTRAINT IF EXISTS times_are_possible";
        world.tamper(format!("BEGIN; {without}; {event}; ALTER TABLE audit_events ADD CONSTRAINT times_are_possible CHECK (event_time BETWEEN '2000-01-01' AND '2200-01-01') NOT VALID; COMMIT; SELECT setval('audit_events_id_seq', 13)")).await;
        assert_eq!(
            world.verify().await,
            Err(Finding::ImpossibleTime { table: "audit_events".into(), id: 13 }),
            "{time}"
        );
        let refused = world.sealer().run_round().await.unwrap_err().to_string();
        assert!(refused.contains("holds a value that this version cannot read"), "{time}: {refused}");
        world.tamper("DELETE FROM audit_events WHERE id = 13").await;
        assert_eq!(world.seal().await, 0);
    }
    world.tamper("ALTER TABLE audit_seals DROP CONSTRAINT times_are_possible; UPDATE audit_seals SET complete_time = 'infinity' WHERE number = 3").await;
    assert_eq!(world.verify().await, Err(Finding::ImpossibleTime { table: "audit_seals".into(), id: 3 }));
    world.look_up(4).await;
    assert!(world.sealer().run_round().await.is_err());
}

#[sqlx::test]
async fn events_that_are_not_sealed_for_long_are_found(pool: PgPool) {
    let world = sealed(pool).await;
    world.look_up(3).await;
    assert_eq!(world.verify().await.unwrap().waiting, 1);
    *world.clock.0.lock().unwrap() = t0() + hours(3) + seconds(601);
    assert_eq!(world.verify().await, Err(Finding::Unsealed { events: 1, oldest: t0() + hours(3) }));
}

/// Another instance's clock was an hour ahead when it sealed.
#[sqlx::test]
async fn a_wrong_clock_is_named_and_is_no_tampering(pool: PgPool) {
    let world = World::new(pool);
    world.issue(1).await;
    *world.clock.0.lock().unwrap() = t0() + hours(2);
    assert_eq!(world.seal().await, 1);
    *world.clock.0.lock().unwrap() = t0() + hours(1);
    world.look_up(1).await;
    assert_eq!(world.seal().await, 1);
    let report = world.verify().await.unwrap();
    assert_eq!((report.events, report.clock_disagreements), (5, vec![1]));
}

/// A standby that was promoted can give out the ids of lost events again.
#[sqlx::test]
async fn a_seal_ends_at_its_last_event(pool: PgPool) {
    let world = World::new(pool);
    world.issue(1).await;
    world.tamper("SELECT setval('audit_events_id_seq', 40)").await;
    assert_eq!(world.seal().await, 1);
    world.tamper("SELECT setval('audit_events_id_seq', 4)").await;
    world.look_up(1).await;
    assert_eq!(world.seal().await, 1);
    assert_eq!(world.verify().await.unwrap().events, 5);
}

#[test]
fn a_head_is_parsed_as_it_is_displayed() {
    let head = SealHead { number: 42, mac: vec![7; 32] };
    assert_eq!(head.to_string().parse(), Ok(head));
    assert!("42".parse::<SealHead>().is_err());
}

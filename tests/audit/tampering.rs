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
    let verify = async || verify(&world.pool, &world.keys, 1, Some(&head)).await;
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
    let verify = async |from| verify(&world.pool, &world.keys, from, None).await;
    assert_eq!(verify(2).await.unwrap().seals, 2);
    assert_eq!(verify(3).await.unwrap().events, 4);
    assert!(matches!(verify(4).await, Err(VerifyError::Tampered(Finding::SealRemoved { seal: 4 }))));
    assert!(matches!(verify(1).await, Err(VerifyError::Tampered(Finding::SealRemoved { seal: 1 }))));
}

#[test]
fn a_head_is_parsed_as_it_is_displayed() {
    let head = SealHead { number: 42, mac: vec![7; 32] };
    assert_eq!(head.to_string().parse(), Ok(head));
    assert!("42".parse::<SealHead>().is_err());
}

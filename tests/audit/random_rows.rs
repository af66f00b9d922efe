//! Whatever rows the service's role can insert: no background work dies of them, and `audit verify` tells what it finds.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, PgPool};
use temporary_pin::audit::{VerifyError, purge, verify};
use temporary_pin::domain::person::PersonKey;
use temporary_pin::random;
use temporary_pin::store::audit::audit_events::list;
use temporary_pin::store::messages::outbox::{claim_due, erase_expired, settle_lost_handovers};
use temporary_pin::store::rights::grant;
use temporary_pin::store::upkeep::purge::{Retention, delete_old_rows};
use test_support::store::*;

use crate::world::World;

/// How many rows are inserted between two rounds of the background work.
const ROWS_PER_ROUND: usize = 60;

#[sqlx::test]
async fn no_row_of_the_services_role_stops_background_work(pool: PgPool) {
    insert_and_work(pool, 300).await;
}

/// The long form: `cargo test --test audit -- --ignored ten_thousand`.
#[sqlx::test]
#[ignore = "takes minutes"]
async fn no_row_of_ten_thousand_of_the_services_role_stops_background_work(pool: PgPool) {
    insert_and_work(pool, 10_000).await;
}

async fn insert_and_work(pool: PgPool, count: usize) {
    let seed = random::secure().random::<u64>();
    println!("seed {seed}");
    let mut rng = StdRng::seed_from_u64(seed);
    let world = World::new(pool);
    for hour in 1..4 {
        world.issue(hour).await;
        world.look_up(hour).await;
        world.seal().await;
    }
    let role = format!("inserting_{seed:016x}");
    let run = async |sql: String| sqlx::raw_sql(AssertSqlSafe(sql)).execute(&world.pool).await.unwrap();
    run(format!("CREATE ROLE {role}")).await;
    grant(&world.pool, &role).await.unwrap();
    let mut connection = PgConnection::connect_with(&world.pool.connect_options()).await.unwrap();
    let set_role = format!("SET ROLE {role}");
    sqlx::raw_sql(AssertSqlSafe(set_role)).execute(&mut connection).await.unwrap();
    let tables = tables(&mut connection).await;
    assert!(tables.len() > 8, "{tables:?}");

    let mut inserted = 0;
    for number in 0..count {
        let (table, columns) = tables.choose(&mut rng).unwrap();
        inserted += usize::from(insert(&mut connection, table, columns, &mut rng).await);
        if number % ROWS_PER_ROUND == ROWS_PER_ROUND - 1 {
            work(&world).await;
        }
    }
    work(&world).await;
    assert!(inserted > count / 10, "most rows are refused: {inserted} of {count}");
    // An order still works.
    issued(&world.pool, PersonKey([250; 32]), t0() + hours(4)).await;
    drop(connection);
    run(format!("DROP OWNED BY {role}; DROP ROLE {role}")).await;
}

/// The tables and columns that the role may insert into, with the types of the columns.
async fn tables(connection: &mut PgConnection) -> Vec<(String, Vec<(String, String)>)> {
    let rows: Vec<(String, Vec<String>, Vec<String>)> = sqlx::query_as(
        "SELECT relname::text, array_agg(attname::text ORDER BY attnum), array_agg(format_type(atttypid, NULL) ORDER BY attnum)
        FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid AND attnum > 0 AND NOT attisdropped
        WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND has_column_privilege(pg_class.oid, attnum, 'INSERT')
        GROUP BY relname ORDER BY relname",
    )
    .fetch_all(connection)
    .await
    .unwrap();
    rows.into_iter().map(|(table, names, types)| (table, names.into_iter().zip(types).collect())).collect()
}

/// Inserts a copy of some row in which a few columns have other values. Returns whether Postgres takes it.
async fn insert(connection: &mut PgConnection, table: &str, columns: &[(String, String)], rng: &mut StdRng) -> bool {
    let mut changes = serde_json::Map::new();
    // Keys must be new, or the row is refused.
    for (name, kind) in columns.iter().filter(|(name, _)| name == "id" || name == "number" || name.ends_with("_key")) {
        changes.insert(name.clone(), new_value(kind, rng));
    }
    for _ in 0..rng.random_range(1..4) {
        let (name, kind) = columns.choose(rng).unwrap();
        changes.insert(name.clone(), strange_value(kind, rng));
    }
    let names: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
    let names = names.join(", ");
    let insert = format!(
        "INSERT INTO {table} ({names})
        SELECT {names} FROM (SELECT (jsonb_populate_record(t, $1)).* FROM {table} t ORDER BY random() LIMIT 1) AS changed"
    );
    let inserted = sqlx::query(AssertSqlSafe(insert)).bind(Value::Object(changes)).execute(connection).await;
    inserted.is_ok_and(|inserted| inserted.rows_affected() == 1)
}

fn new_value(kind: &str, rng: &mut StdRng) -> Value {
    match kind {
        "uuid" => json!(uuid::Uuid::from_u128(rng.random()).to_string()),
        "bytea" => bytes(32, rng),
        "bigint" => json!(rng.random_range(1..200)),
        _ => Value::Null,
    }
}

fn strange_value(kind: &str, rng: &mut StdRng) -> Value {
    let values = match kind {
        "timestamp with time zone" => vec![
            json!("infinity"),
            json!("-infinity"),
            json!("4714-11-24 00:00 BC"),
            json!("294276-12-31 00:00"),
            json!("2199-12-31 00:00"),
            json!("2000-01-01 00:00Z"),
            json!("1999-12-31 00:00Z"),
            Value::Null,
        ],
        "bigint" => vec![json!(i64::MAX), json!(i64::MIN), json!(0), json!(-1), json!(5), Value::Null],
        "integer" => vec![json!(i32::MAX), json!(i32::MIN), json!(0), json!(-1), json!(5), Value::Null],
        "smallint" => vec![json!(i16::MAX), json!(i16::MIN), json!(0), json!(-1), Value::Null],
        "boolean" => vec![json!(true), json!(false), Value::Null],
        "uuid" => vec![new_value(kind, rng), json!(uuid::Uuid::nil().to_string()), Value::Null],
        "bytea" => vec![bytes(0, rng), bytes(32, rng), bytes(40_000, rng), Value::Null],
        "text" => vec![json!(""), json!("x"), json!("\u{202e}\u{e0041}"), json!("y".repeat(40_000)), Value::Null],
        _ => vec![Value::Null],
    };
    values.choose(rng).unwrap().clone()
}

fn bytes(length: usize, rng: &mut StdRng) -> Value {
    let hex: String = (0..length).map(|_| format!("{:02x}", rng.random::<u8>())).collect();
    json!(format!("\\x{hex}"))
}

/// One round of everything that runs in the background. Errors are told and repeated; a panic would end a task.
async fn work(world: &World) {
    let (pool, keys) = (world.pool.clone(), std::sync::Arc::clone(&world.keys));
    let mut sealer = world.sealer();
    let now = t0() + hours(5);
    let round = async move {
        let _ = sealer.run_round().await;
        settle_lost_handovers(&pool, now).await.unwrap();
        claim_due(&pool, now, Duration::from_secs(60), Duration::ZERO, 50, fresh_id()).await.unwrap();
        erase_expired(&pool, now).await.unwrap();
        let _ = purge(&pool, &keys, now, now).await;
        delete_old_rows(&pool, &Retention::default(), now).await.unwrap();
        let _ = list(&pool, &[PERSON], None, 50).await;
        match verify(&pool, &keys, 1, None, now).await {
            Ok(_) | Err(VerifyError::Tampered(_)) => {}
            Err(VerifyError::Store(error)) => panic!("{error}"),
        }
    };
    tokio::spawn(round).await.expect("nothing panics");
}

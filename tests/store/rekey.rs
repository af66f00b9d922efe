//! Re-keying: every pseudonym is replaced once, however often the work is interrupted, and no instance serves until it has ended.

use std::collections::BTreeMap;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, ConnectOptions as _, PgPool};
use temporary_pin::store::upkeep::rekey::{OTHER_BYTE_COLUMNS, PSEUDONYM_COLUMNS, Rekeying};
use temporary_pin::store::{InstanceKeys, PoolSettings, StoreError, connect_instance, schema_is_current};
use test_support::store::*;

/// Replaces the key ring. Fails if it gets a pseudonym twice.
fn rekey(from: i32, mut pseudonym: [u8; 32]) -> [u8; 32] {
    assert_eq!(from, 1);
    assert_ne!(pseudonym[..4], [0xff; 4], "re-keyed twice");
    pseudonym.rotate_right(4);
    pseudonym[..4].fill(0xff);
    pseudonym
}

async fn begin(url: &str, to: i32) -> anyhow::Result<Option<Rekeying>> {
    Rekeying::begin(url, &PoolSettings::default(), to, 1).await
}

fn keys(pseudonym_key_id: i32) -> InstanceKeys {
    InstanceKeys::new(pseudonym_key_id, [])
}

fn settings() -> PoolSettings {
    PoolSettings { acquire_timeout: std::time::Duration::from_secs(1), ..PoolSettings::default() }
}

/// Inserts one row of every kind, and many messages.
async fn fill(pool: &PgPool) {
    log_in_and_request_access(pool, PERSON, 1, t0()).await;
    issued(pool, OTHER, t0()).await;
    redeem(pool, &attempt(OTHER, t0()), false).await;
    let many = "INSERT INTO outbox (id, person_key, kind, state, next_attempt_time, expire_time, create_time)
        SELECT gen_random_uuid(), sha256(n::text::bytea), 'pin', 'accepted', now(), now(), now()
        FROM generate_series(1, 300) AS n";
    let witness = "UPDATE verifications SET witness_key = person_key WHERE login_nonce_digest IS NULL";
    let block = "INSERT INTO person_blocks SELECT person_key, create_time, 'lost phone' FROM pin_requests";
    let reset = "INSERT INTO limit_resets SELECT person_key, 'person_pins', create_time FROM pin_requests";
    for statement in [many, witness, block, reset] {
        sqlx::query(statement).execute(pool).await.unwrap();
    }
}

/// The pseudonyms of each column, sorted.
async fn pseudonyms(pool: &PgPool) -> BTreeMap<(&'static str, &'static str), Vec<[u8; 32]>> {
    let mut all = BTreeMap::new();
    for (table, columns) in PSEUDONYM_COLUMNS {
        for column in columns {
            let values = format!("SELECT {column} FROM {table} WHERE {column} IS NOT NULL");
            let values: Vec<Vec<u8>> = sqlx::query_scalar(AssertSqlSafe(values)).fetch_all(pool).await.unwrap();
            let mut values: Vec<[u8; 32]> = values.into_iter().map(|value| value.try_into().unwrap()).collect();
            values.sort_unstable();
            all.insert((table, *column), values);
        }
    }
    all
}

#[sqlx::test]
async fn every_column_of_bytes_is_rekeyed_or_listed_as_unchanged(pool: PgPool) {
    let columns: Vec<(String, String)> = sqlx::query_as(
        "SELECT table_name::text, column_name::text FROM information_schema.columns
        WHERE table_schema = 'public' AND data_type = 'bytea' AND table_name <> '_sqlx_migrations'",
    )
    .fetch_all(&pool)
    .await
    .unwrap();
    let rekeyed = PSEUDONYM_COLUMNS.iter().flat_map(|(table, columns)| columns.iter().map(|column| (*table, *column)));
    let mut known: Vec<(&str, &str)> = rekeyed.chain(OTHER_BYTE_COLUMNS).collect();
    let mut columns: Vec<(&str, &str)> = columns.iter().map(|(table, column)| (&**table, &**column)).collect();
    known.sort_unstable();
    columns.sort_unstable();
    assert_eq!(columns, known, "each column of bytes belongs into PSEUDONYM_COLUMNS or OTHER_BYTE_COLUMNS");
}

#[sqlx::test]
async fn an_interrupted_rekeying_continues_and_replaces_each_pseudonym_once(
    _: PgPoolOptions,
    options: PgConnectOptions,
) {
    let url = options.to_url_lossy().to_string();
    let pool = PgPool::connect_with(options).await.unwrap();
    fill(&pool).await;
    let before = pseudonyms(&pool).await;
    assert!(before.values().all(|values| !values.is_empty()), "each column has a pseudonym");
    let audit: String = one(&pool, "SELECT string_agg(e::text, '' ORDER BY id) FROM audit_events e").await;

    // Interrupted after zero, one, two … batches.
    let mut batches = 0;
    'until_done: for length in 0.. {
        let mut rekeying = begin(&url, 2).await.unwrap().expect("it is not done");
        for _ in 0..length {
            let Some(batch) = rekeying.next_batch(rekey).await.unwrap() else { break 'until_done };
            batches += usize::from(batch.rows > 0);
        }
    }
    assert!(batches > PSEUDONYM_COLUMNS.len(), "some table has several pages: {batches}");
    // The last one was interrupted as well, before `finish`.
    let instance = connect_instance(&url, &settings(), || keys(2)).unwrap();
    assert!(matches!(schema_is_current(&instance).await, Err(StoreError::Unavailable(_))));
    let mut last = begin(&url, 2).await.unwrap().unwrap();
    while let Some(batch) = last.next_batch(rekey).await.unwrap() {
        assert_eq!(batch.rows, 0);
    }
    last.finish().await.unwrap();

    let after = pseudonyms(&pool).await;
    for (column, values) in before {
        let mut expected: Vec<[u8; 32]> = values.into_iter().map(|value| rekey(1, value)).collect();
        expected.sort_unstable();
        assert!(after[&column] == expected, "{column:?}");
    }
    assert!(begin(&url, 2).await.unwrap().is_none(), "it is done");
    let columns = "SELECT count(*) FROM information_schema.columns WHERE column_name = 'rekeyed_to'";
    assert_eq!(one::<i64>(&pool, columns).await, 0);

    // Existing audit events are unchanged; new ones name the new key.
    let events: i64 = one(&pool, "SELECT count(*) FROM audit_events WHERE pseudonym_key_id = 1").await;
    assert_eq!(one::<String>(&pool, "SELECT string_agg(e::text, '' ORDER BY id) FROM audit_events e").await, audit);
    issued(&pool, PERSON, t0()).await;
    assert_eq!(one::<i64>(&pool, "SELECT count(*) FROM audit_events WHERE pseudonym_key_id = 1").await, events);
    assert!(one::<bool>(&pool, "SELECT bool_or(pseudonym_key_id = 2) FROM audit_events").await);
}

/// R26: nothing is written under two keys.
#[sqlx::test]
async fn r26_no_instance_serves_during_a_rekeying_or_under_another_key(_: PgPoolOptions, options: PgConnectOptions) {
    let url = options.to_url_lossy().to_string();
    let serves = async |key_id| {
        let instance = connect_instance(&url, &settings(), move || keys(key_id)).unwrap();
        let current = schema_is_current(&instance).await;
        instance.close().await;
        current
    };
    let refused = Err(StoreError::Unavailable("no free connection in time".into()));
    assert_eq!(serves(1).await, Ok(true));
    assert_eq!(serves(2).await, refused);

    // One connection of one instance is enough to prevent a re-keying.
    let instance = connect_instance(&url, &settings(), || keys(1)).unwrap();
    let connection = instance.acquire().await.unwrap();
    let error = begin(&url, 2).await.err().unwrap().to_string();
    assert!(error.starts_with("instances are connected to the database"), "{error}");
    drop(connection);
    instance.close().await;

    let mut rekeying = begin(&url, 2).await.unwrap().unwrap();
    assert!(begin(&url, 2).await.is_err(), "two concurrent re-keyings");
    assert_eq!((serves(1).await, serves(2).await), (refused.clone(), refused.clone()));
    while rekeying.next_batch(rekey).await.unwrap().is_some() {}
    drop(rekeying);
    // An interrupted re-keying cannot be continued with another key.
    assert_eq!((serves(1).await, serves(2).await), (refused.clone(), refused.clone()));
    let error = begin(&url, 3).await.err().unwrap().to_string();
    assert!(error.starts_with("a re-keying to pseudonym key 2 has not ended"), "{error}");

    begin(&url, 2).await.unwrap().unwrap().finish().await.unwrap();
    assert_eq!((serves(1).await, serves(2).await), (refused, Ok(true)));
    let error = begin(&url, 1).await.err().unwrap().to_string();
    assert!(error.contains("there is no way back"), "{error}");
}

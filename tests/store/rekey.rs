//! Every pseudonym comes under another key: all of them, once, however often the work is broken off, and with nobody beside.

use std::collections::BTreeMap;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, ConnectOptions as _, PgPool};
use temporary_pin::store::upkeep::rekey::{OTHER_BYTE_COLUMNS, PSEUDONYM_COLUMNS, Rekeying};
use temporary_pin::store::{PoolSettings, StoreError, connect_instance, schema_is_current};
use test_support::store::*;

/// Stands in for the key ring: what matters here is that no pseudonym goes through it twice.
fn raise(from: i32, mut pseudonym: [u8; 32]) -> [u8; 32] {
    assert_eq!(from, 1);
    assert_ne!(pseudonym[..4], [0xff; 4], "raised twice");
    pseudonym.rotate_right(4);
    pseudonym[..4].fill(0xff);
    pseudonym
}

async fn begin(url: &str, to: i32) -> anyhow::Result<Option<Rekeying>> {
    Rekeying::begin(url, &PoolSettings::default(), to, 1).await
}

fn settings() -> PoolSettings {
    PoolSettings { acquire_timeout: std::time::Duration::from_secs(1), ..PoolSettings::default() }
}

/// One of everything, and many messages.
async fn fill(pool: &PgPool) {
    ask_for_access(pool, PERSON, 1, t0()).await;
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

/// The pseudonyms of each column, in no order.
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
async fn every_column_of_bytes_is_rekeyed_or_left_on_purpose(pool: PgPool) {
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
async fn broken_off_anywhere_it_goes_on_and_each_pseudonym_is_raised_once(_: PgPoolOptions, options: PgConnectOptions) {
    let url = options.to_url_lossy().to_string();
    let pool = PgPool::connect_with(options).await.unwrap();
    fill(&pool).await;
    let before = pseudonyms(&pool).await;
    assert!(before.values().all(|values| !values.is_empty()), "each column has a pseudonym");
    let audit: String = one(&pool, "SELECT string_agg(e::text, '' ORDER BY id) FROM audit_events e").await;

    // Broken off after none, one, two … batches.
    let mut batches = 0;
    'until_done: for length in 0.. {
        let mut rekeying = begin(&url, 2).await.unwrap().expect("it is not done");
        for _ in 0..length {
            let Some(batch) = rekeying.next_batch(raise).await.unwrap() else { break 'until_done };
            batches += usize::from(batch.rows > 0);
        }
    }
    assert!(batches > PSEUDONYM_COLUMNS.len(), "some table has several pages: {batches}");
    // The last one broke off before its end, too.
    let instance = connect_instance(&url, &settings(), 2).unwrap();
    assert!(matches!(schema_is_current(&instance).await, Err(StoreError::Unavailable(_))));
    let mut last = begin(&url, 2).await.unwrap().unwrap();
    while let Some(batch) = last.next_batch(raise).await.unwrap() {
        assert_eq!(batch.rows, 0);
    }
    last.finish().await.unwrap();

    let after = pseudonyms(&pool).await;
    for (column, values) in before {
        let mut raised: Vec<[u8; 32]> = values.into_iter().map(|value| raise(1, value)).collect();
        raised.sort_unstable();
        assert!(after[&column] == raised, "{column:?}");
    }
    assert!(begin(&url, 2).await.unwrap().is_none(), "it is done");
    let columns = "SELECT count(*) FROM information_schema.columns WHERE column_name = 'rekeyed_to'";
    assert_eq!(one::<i64>(&pool, columns).await, 0);

    // The audit is as it was; what comes says under which key it is.
    let events: i64 = one(&pool, "SELECT count(*) FROM audit_events WHERE pseudonym_key_id = 1").await;
    assert_eq!(one::<String>(&pool, "SELECT string_agg(e::text, '' ORDER BY id) FROM audit_events e").await, audit);
    issued(&pool, PERSON, t0()).await;
    assert_eq!(one::<i64>(&pool, "SELECT count(*) FROM audit_events WHERE pseudonym_key_id = 1").await, events);
    assert!(one::<bool>(&pool, "SELECT bool_or(pseudonym_key_id = 2) FROM audit_events").await);
}

/// R26: nothing is written under two keys.
#[sqlx::test]
async fn r26_nobody_serves_beside_it_nor_under_another_key(_: PgPoolOptions, options: PgConnectOptions) {
    let url = options.to_url_lossy().to_string();
    let serves = async |key_id| {
        let instance = connect_instance(&url, &settings(), key_id).unwrap();
        let current = schema_is_current(&instance).await;
        instance.close().await;
        current
    };
    let refused = Err(StoreError::Unavailable("no free connection in time".into()));
    assert_eq!(serves(1).await, Ok(true));
    assert_eq!(serves(2).await, refused);

    // One connection of one instance is enough.
    let instance = connect_instance(&url, &settings(), 1).unwrap();
    let connection = instance.acquire().await.unwrap();
    let error = begin(&url, 2).await.err().unwrap().to_string();
    assert!(error.starts_with("instances are connected to the database"), "{error}");
    drop(connection);
    instance.close().await;

    let mut rekeying = begin(&url, 2).await.unwrap().unwrap();
    assert!(begin(&url, 2).await.is_err(), "two at once");
    assert_eq!((serves(1).await, serves(2).await), (refused.clone(), refused.clone()));
    while rekeying.next_batch(raise).await.unwrap().is_some() {}
    drop(rekeying);
    // Broken off, and not taken up with another key.
    assert_eq!((serves(1).await, serves(2).await), (refused.clone(), refused.clone()));
    let error = begin(&url, 3).await.err().unwrap().to_string();
    assert!(error.starts_with("a re-keying to pseudonym key 2 has not ended"), "{error}");

    begin(&url, 2).await.unwrap().unwrap().finish().await.unwrap();
    assert_eq!((serves(1).await, serves(2).await), (refused, Ok(true)));
    let error = begin(&url, 1).await.err().unwrap().to_string();
    assert!(error.contains("there is no way back"), "{error}");
}

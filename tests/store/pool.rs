//! Connecting, the schema, and errors.

use std::time::Duration;

use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use temporary_pin::store::{PoolSettings, StoreError, connect, migrate, schema_is_current};
use test_support::store::*;

#[sqlx::test(migrations = false)]
async fn the_schema_is_current_once_migrated(pool: PgPool) {
    assert_eq!(schema_is_current(&pool).await, Ok(false));
    migrate(&pool).await.unwrap();
    assert_eq!(schema_is_current(&pool).await, Ok(true));
    migrate(&pool).await.unwrap();

    // A migration of a newer version is accepted; a changed migration of this version is not.
    sqlx::query("INSERT INTO _sqlx_migrations SELECT 99990101, 'newer', now(), true, 'x', 0")
        .execute(&pool)
        .await
        .unwrap();
    assert_eq!(schema_is_current(&pool).await, Ok(true));
    sqlx::query("UPDATE _sqlx_migrations SET checksum = 'other'").execute(&pool).await.unwrap();
    assert_eq!(schema_is_current(&pool).await, Ok(false));
}

#[sqlx::test]
async fn a_postgres_that_cannot_be_reached_is_unavailable(_: PgPoolOptions, _: PgConnectOptions) {
    let settings = PoolSettings { acquire_timeout: Duration::from_millis(200), ..PoolSettings::default() };
    let pool = connect("postgres://nobody:secret@127.0.0.1:1/none", &settings).unwrap();
    let error = schema_is_current(&pool).await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable(_)), "{error}");
    for url in ["mysql://secret@host/db", "postgres://secret@host:port/db", "secret"] {
        let error = connect(url, &settings).unwrap_err();
        assert!(!error.to_string().contains("secret"), "{error}");
    }
}

#[sqlx::test]
async fn a_busy_pool_a_slow_statement_and_a_standby_are_unavailable(_: PgPoolOptions, options: PgConnectOptions) {
    let settings = PoolSettings {
        max_connections: 1,
        acquire_timeout: Duration::from_secs(1),
        statement_timeout: Duration::from_millis(500),
    };
    let pool = connect(sqlx::ConnectOptions::to_url_lossy(&options).as_str(), &settings).unwrap();
    let slow: Result<(), StoreError> =
        sqlx::query("SELECT pg_sleep(10)").execute(&pool).await.map(drop).map_err(StoreError::from);
    assert!(matches!(slow, Err(StoreError::Unavailable(_))), "{slow:?}");

    let mut held = pool.acquire().await.unwrap();
    assert!(matches!(schema_is_current(&pool).await, Err(StoreError::Unavailable(_))));
    sqlx::query("SET default_transaction_read_only = on").execute(&mut *held).await.unwrap();
    drop(held);
    let standby = issue(&pool, &order(PERSON, fresh_id(), t0())).await;
    assert!(matches!(standby, Err(StoreError::Unavailable(_))), "{standby:?}");
    assert_eq!(schema_is_current(&pool).await, Ok(true));
}

#[sqlx::test]
async fn an_error_never_shows_a_value(pool: PgPool) {
    issued(&pool, PERSON, t0()).await;
    for sql in [
        "INSERT INTO pin_requests SELECT gen_random_uuid(), (jsonb_populate_record(p, '{}')).person_key FROM pin_requests p",
        "INSERT INTO outbox SELECT * FROM outbox",
        "UPDATE outbox SET state = 'secret-value'",
        "SELECT 'secret-value'::int",
    ] {
        let error = StoreError::from(sqlx::query(sql).execute(&pool).await.unwrap_err());
        let text = format!("{error} {error:?}");
        assert!(matches!(error, StoreError::Internal(_)), "{text}");
        assert!(!text.contains("secret") && !text.contains("0101"), "{text}");
    }
}

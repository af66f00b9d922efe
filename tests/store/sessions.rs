//! Which sessions serve, how long they stay, and that none is waited for without a bound.

use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, PgPool};
use temporary_pin::store::issuing::{IssueOutcome, PinIssuer};
use temporary_pin::store::{InstanceKeys, PoolSettings, StoreError, connect, connect_instance, schema_is_current};
use test_support::fault_proxy::FaultProxy;
use test_support::store::*;

/// More than enough time for anything that has a bound.
const BOUND: Duration = Duration::from_secs(30);

fn url(options: &PgConnectOptions) -> String {
    sqlx::ConnectOptions::to_url_lossy(options).to_string()
}

fn keys() -> InstanceKeys {
    InstanceKeys::new(1, [])
}

fn settings() -> PoolSettings {
    PoolSettings { max_connections: 2, acquire_timeout: Duration::from_secs(2), ..PoolSettings::default() }
}

/// Sets a setting for all new sessions of the test's database.
async fn set_for_database(options: &PgConnectOptions, setting: &str, value: &str) {
    let mut connection = PgConnection::connect_with(options).await.unwrap();
    let name: String = sqlx::query_scalar("SELECT current_database()").fetch_one(&mut connection).await.unwrap();
    let alter = format!("ALTER DATABASE {name:?} SET {setting} = {value}");
    sqlx::raw_sql(AssertSqlSafe(alter)).execute(&mut connection).await.unwrap();
}

async fn setting(pool: &PgPool, name: &str) -> String {
    sqlx::query_scalar("SELECT current_setting($1)").bind(name).fetch_one(pool).await.unwrap()
}

/// The network acknowledges every byte and delivers none, from the moment when a connection is on its way back to the pool.
#[sqlx::test]
async fn r26_a_connection_that_returns_into_silence_frees_its_place(_: PgPoolOptions, options: PgConnectOptions) {
    let (proxy, url) = FaultProxy::start_for_url(&url(&options)).await;
    let pool = connect_instance(&url, &settings(), keys).unwrap();
    let waits_for_postgres = async {
        for _ in 0..3 {
            while schema_is_current(&pool).await != Ok(true) {}
            // The test runs on one thread, so the task that returns the connection has not started yet.
            proxy.silence();
        }
        while schema_is_current(&pool).await != Ok(true) {}
    };
    tokio::time::timeout(BOUND, waits_for_postgres).await.expect("the pool recovers");
    proxy.silence();
    tokio::time::timeout(BOUND, pool.close()).await.expect("the pool closes");
}

#[sqlx::test]
async fn r26_a_connection_whose_batch_fails_in_silence_frees_its_place(_: PgPoolOptions, options: PgConnectOptions) {
    let (proxy, proxied) = FaultProxy::start_for_url(&url(&options)).await;
    let direct = PgPool::connect_with(options).await.unwrap();
    let pool = connect_instance(&proxied, &settings(), keys).unwrap();
    let issuer = PinIssuer::new(pool, ORDER_RULES);
    let issues = async {
        for number in 0..3 {
            let person = temporary_pin::domain::person::PersonKey([number; 32]);
            let verification = verified(&direct, person, t0()).await;
            let order = order(person, verification, t0());
            while issuer.issue(order.clone()).await.is_err() {}
            proxy.silence();
        }
    };
    tokio::time::timeout(2 * BOUND, issues).await.expect("the pool recovers");
}

#[sqlx::test]
async fn r26_a_session_that_cannot_write_is_replaced(_: PgPoolOptions, options: PgConnectOptions) {
    let pool = connect(&url(&options), &PoolSettings { max_connections: 1, ..settings() }).unwrap();
    let make_read_only = async || {
        sqlx::query("SET default_transaction_read_only = on").execute(&pool).await.unwrap();
    };
    let verification = verified(&pool, PERSON, t0()).await;
    let first = order(PERSON, verification, t0());
    make_read_only().await;
    // The write that fails ends the session.
    let refused = issue(&pool, &first).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    assert!(matches!(issue(&pool, &first).await, Ok(IssueOutcome::Issued(_))));

    // An idle session is checked before its next use.
    let second = order(OTHER, verified(&pool, OTHER, t0()).await, t0());
    make_read_only().await;
    tokio::time::sleep(Duration::from_millis(1100)).await;
    assert!(matches!(issue(&pool, &second).await, Ok(IssueOutcome::Issued(_))));
}

#[sqlx::test]
async fn r26_a_standby_is_refused(_: PgPoolOptions, options: PgConnectOptions) {
    let pool = connect_instance(&url(&options), &settings(), keys).unwrap();
    set_for_database(&options, "default_transaction_read_only", "on").await;
    let refused = schema_is_current(&pool).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    let promoted = PgConnectOptions::clone(&options).options([("default_transaction_read_only", "off")]);
    set_for_database(&promoted, "default_transaction_read_only", "off").await;
    assert_eq!(schema_is_current(&pool).await, Ok(true));
}

#[sqlx::test]
async fn r26_a_session_without_time_outs_is_refused(_: PgPoolOptions, options: PgConnectOptions) {
    // As behind a connection pooler that ignores `options`.
    let without = PoolSettings { statement_timeout: Duration::ZERO, ..settings() };
    let refused = schema_is_current(&connect_instance(&url(&options), &without, keys).unwrap()).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
}

#[sqlx::test]
async fn commits_are_durable_whatever_the_database_defaults_to(_: PgPoolOptions, options: PgConnectOptions) {
    for (default, expected) in
        [("off", "on"), ("local", "on"), ("remote_write", "on"), ("remote_apply", "remote_apply")]
    {
        set_for_database(&options, "synchronous_commit", default).await;
        let pool = connect_instance(&url(&options), &settings(), keys).unwrap();
        assert_eq!(setting(&pool, "synchronous_commit").await, expected, "{default}");
    }
}

#[sqlx::test]
async fn r26_a_transaction_that_a_process_leaves_open_ends_and_is_an_outage(
    _: PgPoolOptions,
    options: PgConnectOptions,
) {
    let pool = connect_instance(&url(&options), &settings(), keys).unwrap();
    assert_eq!(setting(&pool, "idle_in_transaction_session_timeout").await, "10s");
    let mut transaction = pool.begin().await.unwrap();
    sqlx::query("SET idle_in_transaction_session_timeout = 10").execute(&mut *transaction).await.unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    // Postgres ends the session with FATAL 25P03.
    let ended = sqlx::query("SELECT 1").execute(&mut *transaction).await.unwrap_err();
    let ended = StoreError::from(ended);
    assert!(matches!(ended, StoreError::Unavailable(_)), "{ended:?}");
}

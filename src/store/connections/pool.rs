//! The connection pool and the schema.

use std::str::FromStr as _;
use std::time::Duration;

use serde::Deserialize;
use sqlx::migrate::{Migrate as _, MigrateError, Migrator};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection as _, PgConnection, PgPool};

use crate::store::connections::{StoreError, read};

/// The schema this version of the service needs.
static MIGRATIONS: Migrator = sqlx::migrate!();

/// A connection that has not been used for so long is asked whether it lives.
const RESTED: Duration = Duration::from_secs(1);

/// How long it has for the answer.
const PING_TIMEOUT: Duration = Duration::from_millis(500);

/// Each statement is planned once per connection, by index, however small the tables are at that moment: they grow while the
/// plan is kept. Planning the issue statement takes longer than running it. Bitmap scans would read the entries of the
/// messages that are done (outbox_due) again with every claim, where index scans mark them as dead. What has no index
/// is scanned all the same, and at that price Postgres would compile it.
///
/// Where rows are named by their ids, a state is asked for as `(state = 'open') IS TRUE`: plainly, it would also say that the
/// row is in the index of open ones, and while that is small, a plan walks through all of it. tests/store/plans.rs notices.
pub const PLANNER_SETTINGS: [(&str, &str); 4] = [
    ("plan_cache_mode", "force_generic_plan"),
    ("enable_seqscan", "off"),
    ("enable_bitmapscan", "off"),
    ("jit", "off"),
];

/// Settings of the pool.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PoolSettings {
    /// Most connections at once. 8 to 16 serve best: more of them only wait for each other in Postgres.
    pub max_connections: u32,
    /// How long a call waits for a free connection.
    #[serde(with = "humantime_serde")]
    pub acquire_timeout: Duration,
    /// How long one statement may run; at most [`MAX_STATEMENT_TIMEOUT`](super::MAX_STATEMENT_TIMEOUT).
    #[serde(with = "humantime_serde")]
    pub statement_timeout: Duration,
}

impl Default for PoolSettings {
    fn default() -> Self {
        Self { max_connections: 12, acquire_timeout: Duration::from_secs(2), statement_timeout: Duration::from_secs(5) }
    }
}

/// A pool that connects when first used, so that the service starts, and reports not serving, without Postgres.
/// Fails when the URL is not one; the error does not repeat it, as it may hold a password.
pub fn connect(url: &str, settings: &PoolSettings) -> Result<PgPool, StoreError> {
    Ok(pool_options(settings).connect_lazy_with(connect_options(url, settings)?))
}

pub(in crate::store) fn connect_options(url: &str, settings: &PoolSettings) -> Result<PgConnectOptions, StoreError> {
    let invalid =
        || StoreError::Internal("the database URL must be postgres://user:password@host:port/database".into());
    // sqlx takes any scheme for its own.
    if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
        return Err(invalid());
    }
    Ok(PgConnectOptions::from_str(url)
        .map_err(|_| invalid())?
        .application_name(env!("CARGO_PKG_NAME"))
        .options([("statement_timeout", settings.statement_timeout.as_millis().to_string())])
        // A statement whose asker has closed the connection, because its time was over, ends there too.
        .options([("client_connection_check_interval", "500ms")])
        .options(PLANNER_SETTINGS))
}

pub(in crate::store) fn pool_options(settings: &PoolSettings) -> PgPoolOptions {
    PgPoolOptions::new()
        .max_connections(settings.max_connections)
        .acquire_timeout(settings.acquire_timeout)
        // A ping before each use would cost a round trip. Only a connection that has rested is asked whether it lives:
        // otherwise each call after a restart of Postgres, one per connection, would fail.
        .test_before_acquire(false)
        .before_acquire(|connection, meta| {
            Box::pin(async move { ping_if_idle(connection, meta.idle_for).await.map(|()| true) })
        })
}

/// Asks a connection that has rested whether it lives.
pub(in crate::store) async fn ping_if_idle(connection: &mut PgConnection, idle_for: Duration) -> sqlx::Result<()> {
    if idle_for >= RESTED {
        let answer = tokio::time::timeout(PING_TIMEOUT, connection.ping()).await;
        answer.map_err(std::io::Error::from)??;
    }
    Ok(())
}

/// Brings the schema up to date. Safe to run from several processes at once.
pub async fn migrate(pool: &PgPool) -> Result<(), StoreError> {
    let mut connection = pool.acquire().await?.detach();
    // A migration may take its time.
    sqlx::query("SET statement_timeout = 0").execute(&mut connection).await?;
    MIGRATIONS.run(&mut connection).await.map_err(migrate_error)?;
    Ok(connection.close().await?)
}

/// Whether every migration that this version needs has been applied, unchanged.
pub async fn schema_is_current(pool: &PgPool) -> Result<bool, StoreError> {
    read(pool, "schema", async |connection| {
        let applied = match connection.list_applied_migrations("_sqlx_migrations").await {
            Ok(applied) => applied,
            Err(MigrateError::Execute(error)) if is_undefined_table(&error) => return Ok(false),
            Err(error) => return Err(migrate_error(error)),
        };
        let is_applied = |needed: &sqlx::migrate::Migration| {
            applied.iter().any(|done| done.version == needed.version && done.checksum == needed.checksum)
        };
        Ok(MIGRATIONS.iter().all(is_applied))
    })
    .await
}

fn is_undefined_table(error: &sqlx::Error) -> bool {
    error.as_database_error().and_then(|error| error.code()).as_deref() == Some("42P01")
}

fn migrate_error(error: MigrateError) -> StoreError {
    match error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => error.into(),
        // The others name versions of migrations, nothing else.
        error => StoreError::Internal(error.to_string()),
    }
}

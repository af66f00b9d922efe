//! The connection pool: its settings, and how its connections are opened and checked.

use std::str::FromStr as _;
use std::time::Duration;

use serde::Deserialize;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{PgConnection, PgPool};

use super::StoreError;

/// A connection that has been idle for this long is checked before its next use.
const CHECK_AFTER_IDLE: Duration = Duration::from_secs(1);

/// How long the answer to that check may take.
const CHECK_TIMEOUT: Duration = Duration::from_millis(500);

/// A connection that is older is replaced at its next use. So none stays with a server that another has replaced without
/// ending its sessions.
const MAX_AGE: Duration = Duration::from_secs(10 * 60);

/// A transaction that waits for its next statement for this long is ended by Postgres: the process that opened it has
/// stopped. Longer than the work on a connection may take.
const IDLE_IN_TRANSACTION_TIMEOUT: &str = "10s";

/// Settings by which Postgres plans each statement once per connection, and always by index.
///
/// - `plan_cache_mode`: planning the issue statement takes longer than running it, so a plan is made once and kept.
/// - `enable_seqscan`: a kept plan must suit the tables when they have grown, however small they are when it is made.
///   Postgres still scans a table that has no suitable index, but rates that plan as extremely expensive.
/// - `enable_bitmapscan`: index scans mark the entries of finished messages in `outbox_due` as dead. Bitmap scans do not,
///   and would read those entries again with every claim.
/// - `jit`: plans that are rated as extremely expensive would be compiled, which takes longer than running them.
///
/// Statements that find rows by id write `(state = 'open') IS TRUE` instead of `state = 'open'`. The plain form tells the
/// planner that the row is in the partial index of open rows, and while that index is small the planner walks through all
/// of it. tests/store/plans.rs fails then.
pub const PLANNER_SETTINGS: [(&str, &str); 4] = [
    ("plan_cache_mode", "force_generic_plan"),
    ("enable_seqscan", "off"),
    ("enable_bitmapscan", "off"),
    ("jit", "off"),
];

/// The settings `[postgres.pool]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PoolSettings {
    /// Best between 8 and 16: with more, the connections only wait for each other in Postgres.
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

/// A pool that connects when it is first used. So the service starts without Postgres, and reports that it is not serving.
///
/// Fails if `url` is not a database URL. The error does not repeat the URL, which may hold a password.
pub fn connect(url: &str, settings: &PoolSettings) -> Result<PgPool, StoreError> {
    Ok(pool_options(settings).connect_lazy_with(connect_options(url, settings)?))
}

pub(in crate::store) fn connect_options(url: &str, settings: &PoolSettings) -> Result<PgConnectOptions, StoreError> {
    let invalid =
        || StoreError::Internal("the database URL must be postgres://user:password@host:port/database".into());
    // sqlx itself accepts any scheme.
    if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
        return Err(invalid());
    }
    Ok(PgConnectOptions::from_str(url)
        .map_err(|_| invalid())?
        .application_name(env!("CARGO_PKG_NAME"))
        .options([("statement_timeout", settings.statement_timeout.as_millis().to_string())])
        // If a caller stops waiting, its connection is closed. Postgres notices that only if it checks.
        .options([("client_connection_check_interval", "500ms")])
        .options([("idle_in_transaction_session_timeout", IDLE_IN_TRANSACTION_TIMEOUT)])
        .options(PLANNER_SETTINGS))
}

pub(in crate::store) fn pool_options(settings: &PoolSettings) -> PgPoolOptions {
    PgPoolOptions::new()
        .max_connections(settings.max_connections)
        .acquire_timeout(settings.acquire_timeout)
        // A check before every use would cost a round trip. Without any, one call per connection would fail after a restart
        // of Postgres. So only connections that have been idle are checked.
        .test_before_acquire(false)
        .before_acquire(|connection, meta| {
            Box::pin(async move { Ok(meta.age < MAX_AGE && can_write_after_idle(connection, meta.idle_for).await?) })
        })
        // The pool ends a connection without a time-out, so it must not do it on its own.
        .max_lifetime(None)
        .idle_timeout(None)
}

/// Whether a connection that has been idle for [`CHECK_AFTER_IDLE`] or longer still works, and can write. An error means
/// that it does not work.
pub(super) async fn can_write_after_idle(connection: &mut PgConnection, idle_for: Duration) -> sqlx::Result<bool> {
    if idle_for < CHECK_AFTER_IDLE {
        return Ok(true);
    }
    let is_read_only = sqlx::query_scalar("SELECT current_setting('transaction_read_only')::boolean");
    let answer = tokio::time::timeout(CHECK_TIMEOUT, is_read_only.fetch_one(connection)).await;
    Ok(!answer.map_err(std::io::Error::from)??)
}

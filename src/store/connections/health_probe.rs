//! Asks Postgres whether the service can work, on a connection of its own: calls that fill the pool do not make the service
//! seem down, and a probe takes no connection from them.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions as _, PgConnection};

use super::instance::check_instance;
use super::key_check_values::{InstanceKeys, describe_foreign};
use super::maintenance::close;
use super::schema::is_current;
use super::{PoolSettings, StoreError, connect_options};

/// How long the check of a new key ring may take.
const CHECK_TIMEOUT: Duration = Duration::from_secs(5);

/// Keeps its connection between two probes.
pub struct HealthProbe {
    options: PgConnectOptions,
    connection: Option<PgConnection>,
}

/// What Postgres answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Readiness {
    /// Whether every migration that this version needs is applied.
    pub schema_is_current: bool,
    /// Whether it can neither be written to nor promise to keep what is written.
    pub is_read_only: bool,
    /// Keys of the instance that are not those of the database, such as `verifier.1`.
    pub foreign_keys: Vec<String>,
    /// The clock of Postgres.
    pub time: DateTime<Utc>,
}

impl HealthProbe {
    /// Does not connect yet.
    pub fn new(url: &str, settings: &PoolSettings) -> Result<Self, StoreError> {
        Ok(Self { options: connect_options(url, settings)?, connection: None })
    }

    /// Asks once. A connection that has broken since the last time is made again. May be dropped at any time, for example
    /// because it takes too long.
    pub async fn read_readiness(&mut self, keys: &InstanceKeys) -> Result<Readiness, StoreError> {
        // Taken out, so that a probe that is dropped leaves no connection behind that has an answer under way.
        if let Some(mut connection) = self.connection.take()
            && let Ok(readiness) = ask_on(&mut connection, keys).await
        {
            self.connection = (!readiness.is_read_only).then_some(connection);
            return Ok(readiness);
        }
        let mut connection = self.options.connect().await?;
        let readiness = ask_on(&mut connection, keys).await?;
        if readiness.foreign_keys.is_empty() && !readiness.is_read_only {
            check_instance(&mut connection, keys).await?;
            self.connection = Some(connection);
        }
        Ok(readiness)
    }
}

/// Checks on a new connection that these keys are those of the database. Adds the check values of keys that are new.
pub async fn check_keys(url: &str, settings: &PoolSettings, keys: &InstanceKeys) -> Result<(), StoreError> {
    let check = async {
        let mut connection = connect_options(url, settings)?.connect().await?;
        let foreign = keys.find_foreign_and_add_new(&mut connection).await?;
        close(connection).await;
        if foreign.is_empty() { Ok(()) } else { Err(StoreError::Internal(describe_foreign(&foreign).into())) }
    };
    tokio::time::timeout(CHECK_TIMEOUT, check)
        .await
        .unwrap_or_else(|_| Err(StoreError::Unavailable("no answer in time".into())))
}

async fn ask_on(connection: &mut PgConnection, keys: &InstanceKeys) -> Result<Readiness, StoreError> {
    let schema_is_current = is_current(connection).await?;
    let is_read_only = sqlx::query_scalar("SELECT current_setting('transaction_read_only')::boolean");
    let is_read_only = is_read_only.fetch_one(&mut *connection).await?;
    let foreign_keys = if schema_is_current { keys.find_foreign(connection).await? } else { Vec::new() };
    let time = if is_read_only {
        sqlx::query_scalar("SELECT clock_timestamp()")
    } else {
        // Writes to the log of Postgres alone, and waits like every commit until that is safe on disk, and on a synchronous
        // standby.
        sqlx::query_scalar("SELECT clock_timestamp() FROM pg_logical_emit_message(true, 'temporary-pin', '')")
    };
    let time = time.fetch_one(connection).await?;
    Ok(Readiness { schema_is_current, is_read_only, foreign_keys, time })
}

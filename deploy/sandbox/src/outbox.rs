//! Counts the messages that the service has not sent yet. At zero, the phones show every message.

use anyhow::Context as _;
use chrono::{DateTime, Utc};
use sqlx::PgPool;
use temporary_pin::store::{self, PoolSettings};

const MAX_CONNECTIONS: u32 = 2;

/// The service's outbox.
pub(crate) struct Outbox(PgPool);

impl Outbox {
    /// Connects when it is first read: the database may not exist yet.
    pub(crate) fn connect(database_url: &str) -> anyhow::Result<Self> {
        let settings = PoolSettings { max_connections: MAX_CONNECTIONS, ..PoolSettings::default() };
        Ok(Self(store::connect(database_url, &settings)?))
    }

    /// How many messages are due to be sent at this time. Leaves out messages that wait for a later retry because the gateway
    /// is down.
    pub(crate) async fn count_due(&self, now: DateTime<Utc>) -> anyhow::Result<i64> {
        let count = "SELECT count(*) FROM outbox WHERE state = 'queued' AND next_attempt_time <= $1";
        sqlx::query_scalar(count).bind(now).fetch_one(&self.0).await.context("the outbox cannot be read")
    }
}

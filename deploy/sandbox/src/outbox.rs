//! What of the service's messages has not reached the gateway yet: who looks at a phone wants to know that nothing is on
//! its way to it.

use anyhow::Context as _;
use chrono::{DateTime, Utc};
use sqlx::PgPool;
use temporary_pin::store::{self, PoolSettings};

/// The service's outbox.
pub(crate) struct Outbox(PgPool);

impl Outbox {
    /// That in the database of this URL, which need not be there yet.
    pub(crate) fn connect(database_url: &str) -> anyhow::Result<Self> {
        let settings = PoolSettings { max_connections: 2, ..PoolSettings::default() };
        Ok(Self(store::connect(database_url, &settings)?))
    }

    /// How many messages wait for the dispatcher at this time. Those that wait for a later one, because the gateway is
    /// down, are not among them.
    pub(crate) async fn due(&self, now: DateTime<Utc>) -> anyhow::Result<i64> {
        let due = "SELECT count(*) FROM outbox WHERE state = 'queued' AND next_attempt_time <= $1";
        sqlx::query_scalar(due).bind(now).fetch_one(&self.0).await.context("the outbox cannot be read")
    }
}

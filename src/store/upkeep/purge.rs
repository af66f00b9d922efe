//! Deletes rows that are older than their retention.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use sqlx::PgPool;
use tokio::time::Instant;

use crate::domain::question_memory::longest_memory;
use crate::domain::rule_settings::Rules;
use crate::random;
use crate::store::connections::{StoreError, write};

/// How many rows one statement deletes, so that none holds its locks for long.
const MAX_ROWS_PER_STATEMENT: i64 = 1000;

/// How long the purge pauses after a statement, as a multiple of the time that the statement took. So calls of the service
/// have priority.
const PAUSE_FACTOR: u32 = 10;

const DAY: Duration = Duration::from_secs(24 * 3600);

/// The settings `[retention]`: how long rows are kept after they were created.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Retention {
    #[serde(with = "humantime_serde")]
    pub verifications: Duration,
    #[serde(with = "humantime_serde")]
    pub access_requests: Duration,
    #[serde(with = "humantime_serde")]
    pub pin_requests: Duration,
    /// Answers to requests, by which repeats are recognised.
    #[serde(with = "humantime_serde")]
    pub requests: Duration,
    /// Messages. Their texts are erased much earlier.
    #[serde(with = "humantime_serde")]
    pub outbox: Duration,
    /// Audit events and who acted.
    #[serde(with = "humantime_serde")]
    pub audit_events: Duration,
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            verifications: 180 * DAY,
            access_requests: 180 * DAY,
            pin_requests: 180 * DAY,
            requests: 2 * DAY,
            outbox: 30 * DAY,
            audit_events: 730 * DAY,
        }
    }
}

impl Retention {
    /// Lists the settings that would delete rows which `rules` still count: the name of each, and its least allowed value.
    pub fn settings_too_short(&self, rules: &Rules) -> impl Iterator<Item = (&'static str, Duration)> {
        let Rules { pin, hold, limits, verification, .. } = rules;
        let counted_verifications =
            [verification.witness_window, longest_memory(verification), limits.failed_verifications.per];
        // A PIN request is also the answer of its request id, which the contract promises for 24 hours.
        let counted_pins = [DAY, limits.wrong_tries.per + pin.lifetime, limits.person_pins.per, limits.mobile_pins.per];
        let hold_length = hold.wait + hold.access_window;
        [
            ("verifications", self.verifications, counted_verifications.into_iter().max()),
            ("pin_requests", self.pin_requests, counted_pins.into_iter().max()),
            ("access_requests", self.access_requests, Some(hold_length)),
            ("outbox", self.outbox, Some(hold_length.max(pin.lifetime))),
            // The contract promises 24 hours. R4 counts the tries in this table.
            ("requests", self.requests, Some(DAY.max(limits.wrong_tries.per))),
        ]
        .into_iter()
        .filter_map(|(name, kept, least)| least.filter(|least| kept < *least).map(|least| (name, least)))
    }
}

/// Deletes rows that are older than their retention, in batches with pauses between them. Returns how many it deleted.
/// Does not delete audit rows: [`crate::audit::purge`] does.
pub async fn delete_old_rows(pool: &PgPool, retention: &Retention, now: DateTime<Utc>) -> Result<u64, StoreError> {
    let mut total = 0;
    for (table, kept) in [
        (Table::Verifications, retention.verifications),
        (Table::AccessRequests, retention.access_requests),
        (Table::PinRequests, retention.pin_requests),
        (Table::Requests, retention.requests),
        (Table::Outbox, retention.outbox),
        // A reset has no effect any more once the rows that it discounts are gone.
        (Table::LimitResets, retention.verifications.max(retention.pin_requests)),
    ] {
        loop {
            let start = Instant::now();
            let deleted = delete_batch(pool, table, now - kept).await?;
            total += deleted;
            if deleted < MAX_ROWS_PER_STATEMENT.unsigned_abs() {
                break;
            }
            tokio::time::sleep(start.elapsed() * PAUSE_FACTOR).await;
        }
    }
    Ok(total)
}

#[derive(Clone, Copy)]
enum Table {
    Verifications,
    AccessRequests,
    PinRequests,
    Requests,
    Outbox,
    LimitResets,
}

/// Deletes up to [`MAX_ROWS_PER_STATEMENT`] rows that were created before `before`.
async fn delete_batch(pool: &PgPool, table: Table, before: DateTime<Utc>) -> Result<u64, StoreError> {
    write(pool, "purge", async |connection| {
        /// Names the rows by `ctid`, their place in the table. It is found and used in the same statement, so it cannot
        /// change in between.
        macro_rules! delete {
            ($table:literal, $condition:literal $(, $bound:expr)?) => {
                sqlx::query!(
                    "DELETE FROM "
                        + $table
                        + " WHERE ctid = ANY (ARRAY(SELECT ctid FROM "
                        + $table
                        + " WHERE "
                        + $condition
                        + " LIMIT $2))",
                    before,
                    MAX_ROWS_PER_STATEMENT
                    $(, $bound)?
                )
                .execute(connection)
                .await
            };
        }
        // Ids that begin with the time: their index leads to the oldest rows and no further, however large the table is.
        let first = random::first_time_ordered_uuid(before);
        let deleted = match table {
            Table::Verifications => delete!("verifications", "id < $3 AND create_time < $1 ORDER BY id", first),
            Table::AccessRequests => delete!("access_requests", "id < $3 AND request_time < $1 ORDER BY id", first),
            Table::PinRequests => delete!("pin_requests", "id < $3 AND create_time < $1 ORDER BY id", first),
            Table::Outbox => delete!("outbox", "id < $3 AND create_time < $1 ORDER BY id", first),
            // Callers choose the ids of requests.
            Table::Requests => delete!("requests", "create_time < $1 ORDER BY create_time"),
            Table::LimitResets => delete!("limit_resets", "reset_time < $1"),
        }?;
        Ok(deleted.rows_affected())
    })
    .await
}

//! Deletes what has served its time.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use sqlx::PgPool;
use tokio::time::Instant;

use super::{StoreError, run};
use crate::domain::rules::Rules;
use crate::random;

/// Most rows that one statement deletes, so that none holds its locks for long.
const BATCH: i64 = 1000;

/// How long the purge rests after a batch, as a multiple of what that took: calls come first.
const REST: u32 = 3;

const DAY: Duration = Duration::from_secs(24 * 3600);

/// How long rows are kept after they came to be.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Retention {
    /// Verifications.
    #[serde(with = "humantime_serde")]
    pub verifications: Duration,
    /// Access requests.
    #[serde(with = "humantime_serde")]
    pub access_requests: Duration,
    /// PIN requests.
    #[serde(with = "humantime_serde")]
    pub pin_requests: Duration,
    /// Answers to requests, by which a repeat is known.
    #[serde(with = "humantime_serde")]
    pub requests: Duration,
    /// Messages; their texts are erased long before.
    #[serde(with = "humantime_serde")]
    pub outbox: Duration,
    /// Audit events and the agents behind them.
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
    /// Names the settings by which rows would go while `rules` still count them, and the least that each may be.
    pub fn too_short(&self, rules: &Rules) -> impl Iterator<Item = (&'static str, Duration)> {
        let Rules { pin, hold, limits, verification, .. } = rules;
        let counted_verifications =
            [verification.witness_window, verification.question_memory, limits.failed_verifications.per];
        let counted_pins = [limits.wrong_tries.per + pin.lifetime, limits.person_pins.per, limits.mobile_pins.per];
        let hold_length = hold.wait + hold.access_window;
        [
            ("verifications", self.verifications, counted_verifications.into_iter().max()),
            ("pin_requests", self.pin_requests, counted_pins.into_iter().max()),
            ("access_requests", self.access_requests, Some(hold_length)),
            ("outbox", self.outbox, Some(hold_length.max(pin.lifetime))),
            // The contract promises 24 hours.
            ("requests", self.requests, Some(DAY)),
        ]
        .into_iter()
        .filter_map(|(name, kept, least)| least.filter(|least| kept < *least).map(|least| (name, least)))
    }
}

/// Deletes rows older than the settings say, in batches with rests between them. None of the audit: see
/// [`crate::audit::purge`]. Returns how many went.
pub async fn purge(pool: &PgPool, retention: &Retention, now: DateTime<Utc>) -> Result<u64, StoreError> {
    let mut total = 0;
    for (table, kept) in [
        (Table::Verifications, retention.verifications),
        (Table::AccessRequests, retention.access_requests),
        (Table::PinRequests, retention.pin_requests),
        (Table::Requests, retention.requests),
        (Table::Outbox, retention.outbox),
        // A reset has no more effect when the rows that it discounts have gone.
        (Table::LimitResets, retention.verifications.max(retention.pin_requests)),
    ] {
        loop {
            let start = Instant::now();
            let deleted = delete_batch(pool, table, now - kept).await?;
            total += deleted;
            if deleted < BATCH.unsigned_abs() {
                break;
            }
            tokio::time::sleep(start.elapsed() * REST).await;
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

/// Deletes up to [`BATCH`] rows that came to be before `before`.
async fn delete_batch(pool: &PgPool, table: Table, before: DateTime<Utc>) -> Result<u64, StoreError> {
    run(pool, "purge", async |connection| {
        /// The oldest come first. Ids begin with the time, so their index leads there and no further, however large the
        /// table is. The rows are named by their place, which is found and used in the same statement.
        macro_rules! delete_by_id {
            ($table:literal, $time:literal) => {
                sqlx::query!(
                    "DELETE FROM "
                        + $table
                        + " WHERE ctid = ANY (ARRAY(SELECT ctid FROM "
                        + $table
                        + " WHERE id < $3 AND "
                        + $time
                        + " < $1 ORDER BY id LIMIT $2))",
                    before,
                    BATCH,
                    random::first_time_ordered_uuid(before),
                )
                .execute(connection)
                .await
            };
        }
        let deleted = match table {
            Table::Verifications => delete_by_id!("verifications", "create_time"),
            Table::AccessRequests => delete_by_id!("access_requests", "request_time"),
            Table::PinRequests => delete_by_id!("pin_requests", "create_time"),
            Table::Outbox => delete_by_id!("outbox", "create_time"),
            // Callers choose these ids.
            Table::Requests => {
                sqlx::query!(
                    "DELETE FROM requests WHERE ctid = ANY (ARRAY(
                        SELECT ctid FROM requests WHERE create_time < $1 LIMIT $2
                    ))",
                    before,
                    BATCH
                )
                .execute(connection)
                .await
            }
            Table::LimitResets => {
                sqlx::query!(
                    "DELETE FROM limit_resets WHERE ctid = ANY (ARRAY(
                        SELECT ctid FROM limit_resets WHERE reset_time < $1 LIMIT $2
                    ))",
                    before,
                    BATCH
                )
                .execute(connection)
                .await
            }
        }?;
        Ok(deleted.rows_affected())
    })
    .await
}

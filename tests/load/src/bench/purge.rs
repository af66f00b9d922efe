//! Measures the service while old rows are purged.

use std::fmt;
use std::time::Duration;

use anyhow::ensure;
use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::PgPool;
use temporary_pin::clock::{Clock as _, SystemClock};
use temporary_pin::store::upkeep::purge::{Retention, delete_old_rows};
use temporary_pin::store::{PoolSettings, connect};

use super::filled_service::FilledService;
use super::spread::median;
use crate::calls::Call;
use crate::drive::Pace;
use crate::report::Report;

/// The stored rows span 180 days, so the oldest fifth is purged.
const RETENTION: Duration = Duration::from_secs(144 * 24 * 3600);

const TURNS: usize = 3;
const CALLS_PER_TURN: u64 = 3000;

#[derive(Serialize)]
pub(crate) struct Purge {
    /// Rows to purge, before and after.
    pub(crate) old_rows: [u64; 2],
    /// Whether the purge ended before the calls did.
    pub(crate) has_ended: bool,
    /// Issue during the purge, then without, for each turn.
    pub(crate) issue: Vec<[Report; 2]>,
}

impl fmt::Display for Purge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [before, after] = self.old_rows;
        let rate = |side: usize| median(self.issue.iter().filter_map(|turn| Some(turn.get(side)?.per_second)));
        let purged = before - after;
        write!(
            f,
            "Purge: {purged} of {before} old rows; Issue {:.0}/s during the purge, {:.0}/s without",
            rate(0),
            rate(1)
        )?;
        if self.has_ended { f.write_str("; it had ended before the calls had") } else { Ok(()) }
    }
}

/// Measures Issue in turn without the purge and during it. The purge is the service's own, run from here.
pub(super) async fn measure(service: &mut FilledService, pace: Pace) -> anyhow::Result<Purge> {
    let retention = Retention {
        verifications: RETENTION,
        access_requests: RETENTION,
        pin_requests: RETENTION,
        ..Retention::default()
    };
    let pool = connect(&service.stored.url, &PoolSettings::default())?;
    let now = SystemClock.now();
    let old_before = old_rows(&pool, now - RETENTION).await?;
    let (mut issue, mut has_ended) = (Vec::new(), false);
    for _ in 0..TURNS {
        let (first, second) =
            (service.prepare(Call::Issue, CALLS_PER_TURN).await?, service.prepare(Call::Issue, CALLS_PER_TURN).await?);
        let alone = service.measure(Call::Issue, first, pace).await?;
        let purging = tokio::spawn({
            let (pool, retention) = (pool.clone(), retention.clone());
            async move { delete_old_rows(&pool, &retention, now).await }
        });
        let beside = service.measure(Call::Issue, second, pace).await?;
        has_ended |= purging.is_finished();
        purging.abort();
        issue.push([beside, alone]);
    }
    let old_after = old_rows(&pool, now - RETENTION).await?;
    ensure!(old_after < old_before, "the purge has deleted nothing");
    Ok(Purge { old_rows: [old_before, old_after], has_ended, issue })
}

async fn old_rows(pool: &PgPool, before: DateTime<Utc>) -> anyhow::Result<u64> {
    let count = "SELECT (SELECT count(*) FROM verifications WHERE create_time < $1)
        + (SELECT count(*) FROM access_requests WHERE request_time < $1)
        + (SELECT count(*) FROM pin_requests WHERE create_time < $1)";
    let count: i64 = sqlx::query_scalar(count).bind(before).fetch_one(pool).await?;
    Ok(count.unsigned_abs())
}

//! What the purge of old rows costs the running service.

use std::fmt;
use std::time::Duration;

use anyhow::ensure;
use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::PgPool;
use temporary_pin::clock::{Clock as _, SystemClock};
use temporary_pin::store::upkeep::purge::{Retention, delete_old_rows};
use temporary_pin::store::{PoolSettings, connect};

use super::growth::Side;
use super::rows::median;
use crate::calls::Call;
use crate::drive::Pace;
use crate::report::Report;

/// The stored rows are of 180 days; the oldest fifth is purged.
const KEPT: Duration = Duration::from_secs(144 * 24 * 3600);

const TURNS: usize = 3;
const CALLS: u64 = 3000;

/// What came of it.
#[derive(Serialize)]
pub(crate) struct Purge {
    /// Rows that were there to be purged at first, and at the end.
    pub(crate) old_rows: [u64; 2],
    /// Whether a measurement went on after the purge had come to its end.
    pub(crate) has_ended: bool,
    /// Issue while the purge runs, and without.
    pub(crate) issue: Vec<[Report; 2]>,
}

impl fmt::Display for Purge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [before, after] = self.old_rows;
        let rate = |side: usize| median(self.issue.iter().filter_map(|turn| Some(turn.get(side)?.per_second)));
        let purged = before - after;
        write!(f, "Purge: {purged} of {before} old rows; Issue {:.0}/s meanwhile, {:.0}/s alone", rate(0), rate(1))?;
        if self.has_ended { f.write_str("; it had ended before the calls had") } else { Ok(()) }
    }
}

/// In turn: Issue while the service's own purge runs, here in a connection of its own, and Issue alone.
pub(super) async fn measure(side: &mut Side, pace: Pace) -> anyhow::Result<Purge> {
    let retention =
        Retention { verifications: KEPT, access_requests: KEPT, pin_requests: KEPT, ..Retention::default() };
    let pool = connect(&side.stored.url, &PoolSettings::default())?;
    let now = SystemClock.now();
    let old_before = old_rows(&pool, now - KEPT).await?;
    let (mut issue, mut has_ended) = (Vec::new(), false);
    for _ in 0..TURNS {
        let (first, second) = (side.prepare(Call::Issue, CALLS).await?, side.prepare(Call::Issue, CALLS).await?);
        let alone = side.measure(Call::Issue, first, pace).await?;
        let purging = tokio::spawn({
            let (pool, retention) = (pool.clone(), retention.clone());
            async move { delete_old_rows(&pool, &retention, now).await }
        });
        let beside = side.measure(Call::Issue, second, pace).await?;
        has_ended |= purging.is_finished();
        purging.abort();
        issue.push([beside, alone]);
    }
    let old_after = old_rows(&pool, now - KEPT).await?;
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

//! The sealer: seals new audit events. Each instance of the service runs a sealer; only one seals at a time.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use sqlx::PgPool;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use super::seal::{self, SealHead};
use crate::clock::Clock;
use crate::keys::KeyRing;
use crate::store::StoreError;
use crate::store::audit::audit_horizon::{self, Horizon};
use crate::store::audit::audit_seals;
use crate::telemetry::metrics::Metrics;

/// Settings of the audit.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AuditSettings {
    /// How often new events are sealed.
    #[serde(with = "humantime_serde")]
    pub seal_interval: Duration,
}

impl Default for AuditSettings {
    fn default() -> Self {
        Self { seal_interval: Duration::from_secs(5) }
    }
}

/// Seals audit events. Does not block transactions that write events.
pub struct Sealer {
    pool: PgPool,
    keys: Arc<ArcSwap<KeyRing>>,
    clock: Arc<dyn Clock>,
    metrics: Metrics,
    /// A horizon that had not passed in the last round.
    horizon: Option<Horizon>,
    /// The last seal that this sealer made.
    head: Option<SealHead>,
}

impl Sealer {
    /// A sealer that has not sealed anything yet.
    pub fn new(pool: PgPool, keys: Arc<ArcSwap<KeyRing>>, clock: Arc<dyn Clock>, metrics: Metrics) -> Self {
        Self { pool, keys, clock, metrics, horizon: None, head: None }
    }

    /// Runs a round every `interval` until `stop`.
    pub async fn run(mut self, interval: Duration, stop: CancellationToken) {
        let mut ticks = tokio::time::interval(interval);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let sealing = async {
            loop {
                ticks.tick().await;
                if let Err(error) = self.run_round().await {
                    warn!(error = %error.with_causes(), "cannot seal the audit");
                }
            }
        };
        tokio::select! {
            () = sealing => {}
            () = stop.cancelled() => {}
        }
    }

    /// Runs one round: seals the events up to each horizon that has passed. These are the horizon of the last round, whose
    /// transactions have usually ended by now, and then the current one. Returns how many seals it made.
    pub async fn run_round(&mut self) -> Result<u64, StoreError> {
        let mut seals = 0;
        if let Some(horizon) = self.horizon.take() {
            seals += self.seal_up_to(horizon).await?;
        }
        if self.horizon.is_none() {
            let horizon = audit_horizon::read_horizon(&self.pool, self.clock.now()).await?;
            seals += self.seal_up_to(horizon).await?;
        }
        let waiting = audit_seals::count_waiting(&self.pool).await?;
        let age = waiting.oldest.and_then(|oldest| (self.clock.now() - oldest).to_std().ok());
        self.metrics.record_unsealed_events(waiting.events, age.unwrap_or_default());
        Ok(seals)
    }

    /// Seals the events up to the horizon. If the horizon has not passed, keeps it for the next round.
    async fn seal_up_to(&mut self, horizon: Horizon) -> Result<u64, StoreError> {
        if !audit_horizon::writers_have_ended(&self.pool, &horizon).await? {
            self.horizon = Some(horizon);
            return Ok(0);
        }
        let mut seals = 0;
        let (now, keys) = (self.clock.now(), self.keys.load_full());
        let make = |previous: Option<&_>, events: &[_], last: i64| {
            let complete_time = (last == horizon.last_event_id).then_some(horizon.time);
            seal::make_seal(&keys, previous, events, last, complete_time, now)
        };
        while let Some(seal) = audit_seals::seal_events(&self.pool, &horizon, make).await? {
            let head = SealHead::from(&seal);
            // The log is outside the database: an attacker who removes the last seals cannot remove this line.
            info!(seal = %head, events = seal.event_count, last_event = seal.last_event_id, "audit sealed");
            if let Some(lost) = self.head.take().filter(|known| known.number >= head.number) {
                error!(seal = %lost, "this seal of the audit is not there any more: the audit was tampered with, or restored");
            }
            self.head = Some(head);
            seals += 1;
        }
        Ok(seals)
    }
}

/// Deletes the events before `before` and records the purge in the chain. Returns the number of deleted events.
pub async fn purge(
    pool: &PgPool,
    keys: &KeyRing,
    before: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<u64, StoreError> {
    let mut total = 0;
    let make = |head: &_, purged_to| seal::make_purge_seal(keys, head, purged_to, now);
    while let Some(deleted) = audit_seals::purge_sealed_events(pool, before, make).await? {
        total += deleted;
    }
    Ok(total)
}

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
use crate::clock::{self, Clock, SystemClock};
use crate::keys::KeyRing;
use crate::store::StoreError;
use crate::store::audit::audit_horizon::{self, Horizon};
use crate::store::audit::audit_seals::{self, Seal};
use crate::store::audit::sealed_events::AuditRows;
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
                    error!(error = %error.with_causes(), "cannot seal the audit");
                }
            }
        };
        tokio::select! {
            () = sealing => {}
            () = stop.cancelled() => {}
        }
        // What the last calls have written would otherwise wait for the next instance.
        if let Err(error) = self.run_round().await {
            warn!(error = %error.with_causes(), "cannot seal the last events of the audit");
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
            let asked = SystemClock.now();
            let horizon = audit_horizon::read_horizon(&self.pool, self.clock.now()).await?;
            // A seal tells up to when the events are complete. A wrong one would make honest events look as if inserted later.
            if !clock::agrees(horizon.database_time, asked, SystemClock.now()) {
                return Err(StoreError::Internal("the clock of this machine is far from that of Postgres".into()));
            }
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
        let make = |previous: Option<&Seal>, events: &[AuditRows], is_complete: bool| {
            previous.map_or(Ok(()), |previous| require_genuine(&keys, previous))?;
            let last = events.last().map_or(0, |event| event.id);
            Ok(seal::make_seal(&keys, previous, events, last, is_complete.then_some(horizon.time), now))
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

/// Fails if the last seal was not made with this key ring. Who builds on a forged seal would make its gap look genuine.
fn require_genuine(keys: &KeyRing, seal: &Seal) -> Result<(), StoreError> {
    if seal::is_genuine(keys, seal) {
        return Ok(());
    }
    Err(StoreError::Internal(format!("audit_seals: seal {} is not genuine: run `audit verify`", seal.number).into()))
}

/// Deletes the events before `before` and records the purge in the chain. Returns the number of deleted events.
pub async fn purge(
    pool: &PgPool,
    keys: &KeyRing,
    before: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<u64, StoreError> {
    let mut total = 0;
    let make = |head: &Seal, purged_to| {
        require_genuine(keys, head)?;
        Ok(seal::make_purge_seal(keys, head, purged_to, now))
    };
    while let Some(deleted) = audit_seals::purge_sealed_events(pool, before, make).await? {
        total += deleted;
    }
    Ok(total)
}

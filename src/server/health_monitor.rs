//! Checks Postgres and Redis, and sets the service's health: SERVING only while both can be written to, the schema is current,
//! the key ring is that of the database, and this machine's clock agrees with that of Postgres.

mod verdict;

use std::time::Duration;

use anyhow::ensure;
use secrecy::ExposeSecret as _;
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

use self::verdict::{Health, Verdict, judge_postgres};
use super::assemble::instance_keys;
use super::reload::Reloadable;
use crate::clock::{Clock as _, SystemClock};
use crate::config::{PostgresSettings, RoleCheck};
use crate::grpc::ServiceHealth;
use crate::guard::Guard;
use crate::keys::KeyRing;
use crate::store::{self, HealthProbe};

/// How often the dependencies are checked.
const CHECK_INTERVAL: Duration = Duration::from_secs(2);

/// How soon they are checked again after a check that failed.
const RETRY_INTERVAL: Duration = Duration::from_secs(1);

/// Longest wait for Postgres. The guard has a time-out of its own for Redis.
const POSTGRES_TIMEOUT: Duration = Duration::from_secs(2);

/// What the health depends on.
pub(super) struct HealthMonitor {
    probe: HealthProbe,
    /// The pool of the calls, on which the rights of the role are checked.
    pool: PgPool,
    role_check: RoleCheck,
    keys: Reloadable<KeyRing>,
    guard: Guard,
}

impl HealthMonitor {
    pub(super) fn new(
        settings: &PostgresSettings,
        pool: PgPool,
        keys: Reloadable<KeyRing>,
        guard: Guard,
    ) -> anyhow::Result<Self> {
        let probe = HealthProbe::new(settings.url.expose_secret(), &settings.pool)?;
        Ok(Self { probe, pool, role_check: settings.role_check, keys, guard })
    }

    /// Keeps the health up to date until `stop`, then sets NOT_SERVING, so that callers go to another instance while running
    /// calls end.
    ///
    /// # Errors
    /// If the service must not serve at all, because its database role has too many rights or its key ring is that of another
    /// database.
    pub(super) async fn run(mut self, reporter: ServiceHealth, stop: CancellationToken) -> anyhow::Result<()> {
        let result = tokio::select! {
            must_not_serve = self.monitor(&reporter) => must_not_serve,
            () = stop.cancelled() => Ok(()),
        };
        reporter.shutdown().await;
        result
    }

    async fn monitor(&mut self, reporter: &ServiceHealth) -> anyhow::Result<()> {
        let (mut health, mut last) = (Health::default(), Verdict::Ready);
        loop {
            let verdict = self.check(&health).await?;
            if verdict != Verdict::Ready && verdict != last {
                tracing::warn!(cause = %verdict, "a health check has failed");
            }
            if let Some(is_serving) = health.record_verdict(&verdict) {
                tracing::info!("{}", if is_serving { "serving" } else { "not serving" });
                reporter.set_serving(is_serving).await;
            }
            tokio::time::sleep(if verdict == Verdict::Ready { CHECK_INTERVAL } else { RETRY_INTERVAL }).await;
            last = verdict;
        }
    }

    async fn check(&mut self, health: &Health) -> anyhow::Result<Verdict> {
        let keys = instance_keys(&self.keys.load());
        let asked = SystemClock.now();
        let postgres = tokio::time::timeout(POSTGRES_TIMEOUT, self.probe.read_readiness(&keys));
        let (postgres, redis) = tokio::join!(postgres, self.guard.check_health());
        let answered = SystemClock.now();
        let verdict = match postgres {
            Err(_) => Verdict::Failing("Postgres has not answered in time".into()),
            Ok(Err(error)) => Verdict::Failing(error.with_causes().to_string().into()),
            Ok(Ok(readiness)) => {
                // Another process may have made the table of check values from another ring: nothing may be written then.
                ensure!(readiness.foreign_keys.is_empty(), "{}", store::describe_foreign(&readiness.foreign_keys));
                judge_postgres(&readiness, asked, answered)
            }
        };
        let verdict = match (verdict, redis) {
            (Verdict::Ready, Err(_)) => Verdict::Failing("Redis cannot be written to".into()),
            (verdict, _) => verdict,
        };
        if verdict == Verdict::Ready && !health.is_serving() {
            match store::rights::find_excess(&self.pool).await {
                Ok(excess) => check_rights(&excess, self.role_check)?,
                Err(error) => return Ok(Verdict::Failing(error.with_causes().to_string().into())),
            }
        }
        Ok(verdict)
    }
}

/// Fails if the database role may do more than the service needs and the configuration does not tolerate that.
fn check_rights(excess: &[String], role_check: RoleCheck) -> anyhow::Result<()> {
    if excess.is_empty() {
        return Ok(());
    }
    let excess = excess.join(", ");
    ensure!(
        role_check == RoleCheck::Warn,
        "postgres.url: its role must not be able to change the audit, but it {excess}; see docs/database.md"
    );
    tracing::warn!(excess, "the role of postgres.url can change the audit");
    Ok(())
}

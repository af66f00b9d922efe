//! Checks Postgres and Redis, and sets the service's health: SERVING only while both answer and the schema is current.

use std::time::Duration;

use anyhow::ensure;
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

use crate::config::RoleCheck;
use crate::grpc::ServiceHealth;
use crate::guard::Guard;
use crate::store;

/// How often the dependencies are checked.
const CHECK_INTERVAL: Duration = Duration::from_secs(2);

/// Longest wait for Postgres. The guard has a time-out of its own for Redis.
const POSTGRES_TIMEOUT: Duration = Duration::from_secs(2);

/// Keeps the health up to date until `stop`, then sets NOT_SERVING, so that callers go to another instance while running
/// calls end.
///
/// # Errors
/// If the service must not serve at all, because its database role has too many rights.
pub(super) async fn monitor_health(
    health: ServiceHealth,
    store: PgPool,
    role_check: RoleCheck,
    guard: Guard,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let mut was_healthy = false;
    let monitoring = async {
        loop {
            let postgres = tokio::time::timeout(POSTGRES_TIMEOUT, store::schema_is_current(&store));
            let (postgres, redis) = tokio::join!(postgres, guard.ping());
            let mut is_healthy = matches!(postgres, Ok(Ok(true))) && redis.is_ok();
            if is_healthy && !was_healthy {
                match store::rights::find_excess(&store).await {
                    Ok(excess) => check_rights(&excess, role_check)?,
                    Err(_) => is_healthy = false,
                }
            }
            if is_healthy != was_healthy {
                tracing::info!(postgres = ?postgres, redis = redis.is_ok(), "{}", if is_healthy { "serving" } else { "not serving" });
                health.set_serving(is_healthy).await;
                was_healthy = is_healthy;
            }
            tokio::time::sleep(CHECK_INTERVAL).await;
        }
    };
    let result = tokio::select! {
        must_not_serve = monitoring => must_not_serve,
        () = stop.cancelled() => Ok(()),
    };
    health.shutdown().await;
    result
}

/// Fails if the database role has rights to change the audit and the configuration does not tolerate that.
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

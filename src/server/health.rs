//! Health: SERVING only while Postgres, its schema and Redis are as they should be.

use std::time::Duration;

use anyhow::ensure;
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

use crate::config::RoleCheck;
use crate::grpc::Health;
use crate::guard::Guard;
use crate::store;

/// How often the dependencies are asked.
const INTERVAL: Duration = Duration::from_secs(2);

/// How long Postgres has to answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// Reports health until `stop`; then NOT_SERVING, so that callers go elsewhere while running calls end. Fails when the
/// service must not serve at all.
pub(super) async fn watch(
    health: Health,
    store: PgPool,
    role_check: RoleCheck,
    guard: Guard,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let mut healthy = false;
    let watching = async {
        loop {
            let postgres = tokio::time::timeout(PATIENCE, store::schema_is_current(&store));
            let (postgres, redis) = tokio::join!(postgres, guard.ping());
            let mut now_healthy = matches!(postgres, Ok(Ok(true))) && redis.is_ok();
            if now_healthy && !healthy {
                match store::rights::find_excess(&store).await {
                    Ok(excess) => fit(&excess, role_check)?,
                    Err(_) => now_healthy = false,
                }
            }
            if now_healthy != healthy {
                tracing::info!(postgres = ?postgres, redis = redis.is_ok(), "{}", if now_healthy { "serving" } else { "not serving" });
                health.report(now_healthy).await;
                healthy = now_healthy;
            }
            tokio::time::sleep(INTERVAL).await;
        }
    };
    let watched = tokio::select! {
        refused = watching => refused,
        () = stop.cancelled() => Ok(()),
    };
    health.end().await;
    watched
}

/// Whether the service may serve as this role.
fn fit(excess: &[String], role_check: RoleCheck) -> anyhow::Result<()> {
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

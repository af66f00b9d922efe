//! Health: SERVING only while Postgres, its schema and Redis are as they should be.

use std::time::Duration;

use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

use crate::grpc::Health;
use crate::guard::Guard;
use crate::store;

/// How often the dependencies are asked.
const INTERVAL: Duration = Duration::from_secs(2);

/// How long Postgres has to answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// Reports health until `stop`; then NOT_SERVING, so that callers go elsewhere while running calls end.
pub(super) async fn watch(health: Health, store: PgPool, guard: Guard, stop: CancellationToken) {
    let mut healthy = false;
    let watching = async {
        loop {
            let postgres = tokio::time::timeout(PATIENCE, store::schema_is_current(&store));
            let (postgres, redis) = tokio::join!(postgres, guard.ping());
            let now_healthy = matches!(postgres, Ok(Ok(true))) && redis.is_ok();
            if now_healthy != healthy {
                tracing::info!(postgres = ?postgres, redis = redis.is_ok(), "{}", if now_healthy { "serving" } else { "not serving" });
                health.report(now_healthy).await;
                healthy = now_healthy;
            }
            tokio::time::sleep(INTERVAL).await;
        }
    };
    tokio::select! {
        () = watching => {}
        () = stop.cancelled() => {}
    }
    health.end().await;
}

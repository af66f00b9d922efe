//! Health: SERVING only while Postgres, its schema and Redis are as they should be.

use std::time::Duration;

use sqlx::PgPool;
use tokio_util::sync::CancellationToken;
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;

use crate::guard::Guard;
use crate::store;

/// How often the dependencies are asked.
const INTERVAL: Duration = Duration::from_secs(2);

/// How long Postgres has to answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// The whole server (empty name) and its services.
const NAMES: [&str; 3] = ["", "temporarypin.v1.TemporaryPinService", "temporarypin.v1.RedemptionService"];

/// Reports NOT_SERVING for all.
pub(super) async fn not_serving(reporter: &HealthReporter) {
    report(reporter, ServingStatus::NotServing).await;
}

/// Reports health until `stop`; then NOT_SERVING, so that callers go elsewhere while running calls end.
pub async fn watch(mut reporter: HealthReporter, store: PgPool, guard: Guard, stop: CancellationToken) {
    let mut healthy = false;
    let watching = async {
        loop {
            let postgres = tokio::time::timeout(PATIENCE, store::schema_is_current(&store));
            let (postgres, redis) = tokio::join!(postgres, guard.ping());
            let now_healthy = matches!(postgres, Ok(Ok(true))) && redis.is_ok();
            if now_healthy != healthy {
                tracing::info!(postgres = ?postgres, redis = redis.is_ok(), "{}", if now_healthy { "serving" } else { "not serving" });
                let status = if now_healthy { ServingStatus::Serving } else { ServingStatus::NotServing };
                report(&reporter, status).await;
                healthy = now_healthy;
            }
            tokio::time::sleep(INTERVAL).await;
        }
    };
    tokio::select! {
        () = watching => {}
        () = stop.cancelled() => {}
    }
    not_serving(&reporter).await;
    // Whoever watches has been told; a watch that lasted would hold up the end of the process.
    for name in NAMES {
        reporter.clear_service_status(name).await;
    }
}

async fn report(reporter: &HealthReporter, status: ServingStatus) {
    for name in NAMES {
        reporter.set_service_status(name, status).await;
    }
}

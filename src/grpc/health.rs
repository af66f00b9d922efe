//! Health as callers see it: of the whole server and of each service.

use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;

/// The whole server (empty name) and its services.
const NAMES: [&str; 3] = ["", "temporarypin.v1.TemporaryPinService", "temporarypin.v1.RedemptionService"];

/// Reports health. NOT_SERVING until something else is reported.
pub struct Health(HealthReporter);

impl Health {
    pub(super) async fn new(reporter: HealthReporter) -> Self {
        let health = Self(reporter);
        health.report(false).await;
        health
    }

    /// Reports SERVING or NOT_SERVING, for all names.
    pub async fn report(&self, serving: bool) {
        let status = if serving { ServingStatus::Serving } else { ServingStatus::NotServing };
        for name in NAMES {
            self.0.set_service_status(name, status).await;
        }
    }
}

//! Health as callers see it: of the whole server and of each service.

use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;

use super::services;

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
        for name in names() {
            self.0.set_service_status(name, status).await;
        }
    }

    /// Reports NOT_SERVING for good.
    pub async fn end(mut self) {
        self.report(false).await;
        // Whoever watches has been told; a watch that lasted would hold up the end of the process.
        for name in names() {
            self.0.clear_service_status(name).await;
        }
    }
}

/// The whole server (empty name) and its services.
fn names() -> impl Iterator<Item = &'static str> {
    [""].into_iter().chain(services::OURS)
}

//! The standard gRPC health service: the health of the whole server and of each service.

use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;

use super::service_names;

/// Sets what the health service answers. NOT_SERVING until it is set.
pub struct ServiceHealth(HealthReporter);

impl ServiceHealth {
    pub(super) async fn new(reporter: HealthReporter) -> Self {
        let health = Self(reporter);
        health.set_serving(false).await;
        health
    }

    /// Sets SERVING or NOT_SERVING for the server and all services.
    pub async fn set_serving(&self, is_serving: bool) {
        let status = if is_serving { ServingStatus::Serving } else { ServingStatus::NotServing };
        for name in health_names() {
            self.0.set_service_status(name, status).await;
        }
    }

    /// Sets NOT_SERVING for good, and ends the streams of `Watch`.
    pub async fn shutdown(mut self) {
        self.set_serving(false).await;
        // An open watch would keep its connection, and so the process, from ending.
        for name in health_names() {
            self.0.clear_service_status(name).await;
        }
    }
}

/// The whole server (the empty name) and its services.
fn health_names() -> impl Iterator<Item = &'static str> {
    [""].into_iter().chain(service_names::CONTRACT_SERVICES)
}

//! The gRPC edge: services, conversions, statuses, middleware.

pub mod caller;
mod conform;
mod convert;
mod deadline;
mod health;
mod observe;
mod operator_service;
mod redemption_service;
mod routes;
mod services;
mod status;
mod temporary_pin_service;

use std::future::Future;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use tokio_util::task::TaskTracker;
use tonic::{Request, Response, Status};
use tracing::Instrument as _;

use crate::clock::Clock;
use crate::issuance::{Issuance, Refusal};
use caller::Caller;

pub use health::Health;
pub use routes::{Settings, routes};

/// What every service needs.
pub struct Context {
    /// The use cases.
    pub issuance: Arc<Issuance>,
    /// The clock, read once per call.
    pub clock: Arc<dyn Clock>,
    /// The use cases that run, so that the end of the process can wait for them.
    pub calls: TaskTracker,
}

impl Context {
    /// Who calls, and when.
    fn enter<T>(&self, request: &Request<T>) -> Result<(Caller, DateTime<Utc>), Status> {
        let caller = request.extensions().get::<Caller>().cloned().ok_or_else(status::caller_unknown)?;
        Ok((caller, self.clock.now()))
    }
}

/// Runs a use case to its end, even when the caller goes away meanwhile: what must be recorded is recorded.
async fn answered<T: Send + 'static>(
    context: &Context,
    now: DateTime<Utc>,
    work: impl Future<Output = Result<T, Refusal>> + Send + 'static,
) -> Result<Response<T>, Status> {
    match context.calls.spawn(work.in_current_span()).await {
        Ok(Ok(answer)) => Ok(Response::new(answer)),
        Ok(Err(refusal)) => {
            let metrics = &context.issuance.metrics;
            metrics.refusal(refusal.reason().as_str());
            if let Refusal::Unavailable(dependency) = refusal {
                metrics.dependency_failure(dependency.as_str());
            }
            Err(status::refused(&refusal, now))
        }
        // The panic itself has been logged by the panic hook.
        Err(_) => Err(status::internal()),
    }
}

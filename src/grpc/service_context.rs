//! What the services share, and how they run a use case.

use std::future::Future;
use std::sync::Arc;

use arc_swap::ArcSwap;
use chrono::{DateTime, Utc};
use tokio::task::JoinError;
use tokio_util::task::TaskTracker;
use tonic::{Request, Response, Status};
use tracing::Instrument as _;

use super::authentication::Caller;
use super::error_details::HandlerStarted;
use super::{load_shedding, status};
use crate::clock::Clock;
use crate::deadline;
use crate::issuance::{Dependencies, Issuance, Refusal};
use crate::keys::KeyRing;

/// What every service needs.
pub struct ServiceContext {
    /// What the use cases work with.
    pub dependencies: Arc<Dependencies>,
    /// The key ring as it was last reloaded.
    pub keys: Arc<ArcSwap<KeyRing>>,
    /// The clock. Each call reads it once.
    pub clock: Arc<dyn Clock>,
    /// Tracks running use cases, so that the process can wait for them before it ends.
    pub calls: TaskTracker,
    /// Largest message in bytes, for requests and responses.
    pub message_limit: usize,
}

impl ServiceContext {
    /// The use cases for one call, with the current key ring.
    pub(super) fn issuance(&self) -> Issuance {
        Issuance::new(Arc::clone(&self.dependencies), self.keys.load_full())
    }

    /// Starts a handler: returns the caller and the time of the call.
    pub(super) fn start_call<T>(&self, request: &Request<T>) -> Result<(Caller, DateTime<Utc>), Status> {
        HandlerStarted::record(request);
        let caller = request.extensions().get::<Caller>().cloned().ok_or_else(status::caller_unknown)?;
        Ok((caller, self.clock.now()))
    }

    /// Runs a use case in a task of its own. If the caller disconnects, the use case still runs to its end, so that it
    /// records what it has done. The task inherits the caller's deadline, which ends it where that is safe.
    pub(super) fn run_use_case<T: prost::Message + 'static>(
        &self,
        now: DateTime<Utc>,
        use_case: impl Future<Output = Result<T, Refusal>> + Send + 'static,
    ) -> impl Future<Output = Result<Response<T>, Status>> {
        // Boxed here, because each future around it would otherwise reserve its whole size, twice.
        let use_case = deadline::inherit_deadline(Box::pin(use_case));
        let running = self.calls.spawn(load_shedding::hold_permit_during(use_case).in_current_span());
        async move { self.to_response(now, running.await) }
    }

    /// Turns the result of a use case into a response or a status, and counts refusals.
    fn to_response<T: prost::Message>(
        &self,
        now: DateTime<Utc>,
        result: Result<Result<T, Refusal>, JoinError>,
    ) -> Result<Response<T>, Status> {
        match result {
            // tonic checks the size too, but so late that the status cannot have details any more.
            Ok(Ok(message)) if message.encoded_len() > self.message_limit => Err(status::message_too_large()),
            Ok(Ok(message)) => Ok(Response::new(message)),
            // The caller's deadline ended the request to the dependency: not the dependency's failure.
            Ok(Err(Refusal::Unavailable(_))) if deadline::has_passed() => Err(status::deadline_exceeded()),
            Ok(Err(refusal)) => {
                let metrics = &self.dependencies.metrics;
                metrics.count_refusal(refusal.reason().as_str());
                if let Refusal::Unavailable(failure) = &refusal {
                    metrics.count_dependency_failure(failure.dependency.as_str());
                }
                Err(status::from_refusal(&refusal, now))
            }
            // The use case panicked. The panic hook has logged the panic.
            Err(_) => Err(status::internal()),
        }
    }
}

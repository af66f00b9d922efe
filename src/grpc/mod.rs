//! The gRPC edge: services, conversions, statuses, middleware.

pub mod caller;
mod conform;
mod convert;
mod health;
mod load;
mod localize;
mod observe;
mod operator_service;
mod redemption_service;
mod routes;
mod services;
mod status;
mod temporary_pin_service;
mod time_limit;

use std::future::Future;
use std::sync::Arc;

use arc_swap::ArcSwap;
use chrono::{DateTime, Utc};
use tokio::task::JoinError;
use tokio_util::task::TaskTracker;
use tonic::{Request, Response, Status};
use tracing::Instrument as _;

use crate::clock::Clock;
use crate::deadline;
use crate::issuance::{Issuance, Refusal};
use crate::keys::KeyRing;
use caller::Caller;
use conform::Entered;

pub use health::Health;
pub use routes::{Settings, routes};

/// What every service needs.
pub struct Context {
    /// The use cases, with the key ring of the start.
    pub issuance: Issuance,
    /// The key ring as it is now.
    pub keys: Arc<ArcSwap<KeyRing>>,
    /// The clock, read once per call.
    pub clock: Arc<dyn Clock>,
    /// The use cases that run, so that the end of the process can wait for them.
    pub calls: TaskTracker,
    /// Largest message, in bytes, both ways.
    pub message_limit: usize,
}

impl Context {
    /// The use cases for one call, with the key ring as it is now.
    fn issuance(&self) -> Issuance {
        Issuance { keys: self.keys.load_full(), ..self.issuance.clone() }
    }

    /// Who calls, and when.
    fn enter<T>(&self, request: &Request<T>) -> Result<(Caller, DateTime<Utc>), Status> {
        Entered::note(request);
        let caller = request.extensions().get::<Caller>().cloned().ok_or_else(status::caller_unknown)?;
        Ok((caller, self.clock.now()))
    }
}

/// Runs a use case in a task of its own, so that it does not break off in the middle of something when the caller goes
/// away: what must be recorded is recorded. The caller's deadline goes along and ends it where that does no harm.
fn answered<T: prost::Message + 'static>(
    context: &Context,
    now: DateTime<Utc>,
    work: impl Future<Output = Result<T, Refusal>> + Send + 'static,
) -> impl Future<Output = Result<Response<T>, Status>> {
    // In a box at once: each future around it would hold room for it, twice.
    let work = load::in_its_place(deadline::inherit_deadline(Box::pin(work))).in_current_span();
    let running = context.calls.spawn(work);
    async move { answer(context, now, running.await) }
}

/// How the work came out.
fn answer<T: prost::Message>(
    context: &Context,
    now: DateTime<Utc>,
    outcome: Result<Result<T, Refusal>, JoinError>,
) -> Result<Response<T>, Status> {
    match outcome {
        // tonic would notice when it is too late for details.
        Ok(Ok(answer)) if answer.encoded_len() > context.message_limit => Err(status::message_too_large()),
        Ok(Ok(answer)) => Ok(Response::new(answer)),
        // Cut short by the caller's own deadline: no fault of the dependency.
        Ok(Err(Refusal::Unavailable(_))) if deadline::has_passed() => Err(status::deadline_exceeded()),
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

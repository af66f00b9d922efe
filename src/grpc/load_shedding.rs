//! Sheds load: rejects a call when too many are running. A queue would make the other calls late too.
//!
//! A call holds its permit until its work has ended, also after its caller has disconnected. No caller gets more than its
//! share of the permits, so a caller that stalls or floods does not lock out the others. Health and reflection need no
//! permit.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::authentication::Caller;
use super::{service_names, status};
use crate::telemetry::metrics::Metrics;

/// One part in this many of the permits is out of reach for a single caller: a quarter stays free for the others.
const RESERVED_FRACTION: usize = 4;

/// Hands out the permits to run calls.
#[derive(Clone)]
pub(super) struct LoadShedder {
    permits: Arc<Semaphore>,
    /// Most permits that one caller may hold at once.
    permits_per_caller: usize,
    /// The permits that each caller has left of its share, by the caller's name.
    caller_permits: Arc<Mutex<BTreeMap<Arc<str>, Arc<Semaphore>>>>,
    metrics: Metrics,
}

impl LoadShedder {
    /// At most `max_calls` calls run at once.
    pub(super) fn new(max_calls: usize, metrics: Metrics) -> Self {
        let max_calls = max_calls.min(Semaphore::MAX_PERMITS);
        Self {
            permits: Arc::new(Semaphore::new(max_calls)),
            permits_per_caller: max_calls - max_calls / RESERVED_FRACTION,
            caller_permits: Arc::default(),
            metrics,
        }
    }

    /// Takes a permit. `None` if all permits, or all of this caller's share, are taken.
    fn try_acquire(&self, caller: &Caller) -> Option<CallPermit> {
        let caller_permits = {
            let mut by_caller = self.caller_permits.lock().unwrap_or_else(PoisonError::into_inner);
            let entry = by_caller.entry(Arc::clone(&caller.name));
            Arc::clone(entry.or_insert_with(|| Arc::new(Semaphore::new(self.permits_per_caller))))
        };
        let permits = [caller_permits.try_acquire_owned().ok()?, Arc::clone(&self.permits).try_acquire_owned().ok()?];
        self.metrics.count_call_start();
        Some(CallPermit { _permits: permits, metrics: self.metrics.clone() })
    }
}

/// The right to run a call. Dropping it gives the right back.
struct CallPermit {
    _permits: [OwnedSemaphorePermit; 2],
    metrics: Metrics,
}

impl Drop for CallPermit {
    fn drop(&mut self) {
        self.metrics.count_call_end();
    }
}

tokio::task_local! {
    static CURRENT_PERMIT: Arc<CallPermit>;
}

/// Middleware: gives a call a permit, or rejects it with RESOURCE_EXHAUSTED.
pub(super) async fn shed_load(State(shedder): State<LoadShedder>, request: Request, next: Next) -> Response {
    if !service_names::is_in_contract(request.uri().path()) {
        return next.run(request).await;
    }
    // `authorization` has rejected calls without a caller. This only guards against a wrong order of layers.
    let Some(caller) = request.extensions().get::<Caller>() else { return status::caller_unknown().into_http() };
    let Some(permit) = shedder.try_acquire(caller) else {
        shedder.metrics.count_shed_call();
        return status::overloaded().into_http();
    };
    CURRENT_PERMIT.scope(Arc::new(permit), next.run(request)).await
}

/// Makes `work` hold the permit of the current call until `work` ends, for a task that may outlive the call.
pub(super) fn hold_permit_during<F: Future>(work: F) -> impl Future<Output = F::Output> {
    let permit = CURRENT_PERMIT.try_with(Arc::clone).ok();
    async move {
        let _permit = permit;
        work.await
    }
}

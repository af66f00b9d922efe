//! How many calls run at once. One more is refused at once rather than left to wait: the others would be late too.
//!
//! A call keeps its place until its work has ended, also when its caller has gone meanwhile. No caller gets the last
//! quarter of the places: whoever stalls or floods keeps nobody else out. Health and reflection need no place.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::caller::Caller;
use super::{services, status};
use crate::telemetry::metrics::Metrics;

/// The places.
#[derive(Clone)]
pub(super) struct Load {
    places: Arc<Semaphore>,
    /// What one caller can have of them at once.
    share: usize,
    /// What is left of it to each caller that has called.
    shares: Arc<Mutex<BTreeMap<Arc<str>, Arc<Semaphore>>>>,
    metrics: Metrics,
}

impl Load {
    /// As many places as calls may run at once.
    pub(super) fn new(places: usize, metrics: Metrics) -> Self {
        let places = places.min(Semaphore::MAX_PERMITS);
        let share = places - places / 4;
        Self { places: Arc::new(Semaphore::new(places)), share, shares: Arc::default(), metrics }
    }

    /// A place, unless all, or all that this caller can have, are taken.
    fn place(&self, caller: &Caller) -> Option<Place> {
        let share = {
            let mut shares = self.shares.lock().unwrap_or_else(PoisonError::into_inner);
            let share = shares.entry(Arc::clone(&caller.name));
            Arc::clone(share.or_insert_with(|| Arc::new(Semaphore::new(self.share))))
        };
        let permits = [share.try_acquire_owned().ok()?, Arc::clone(&self.places).try_acquire_owned().ok()?];
        self.metrics.call_began();
        Some(Place { _permits: permits, metrics: self.metrics.clone() })
    }
}

/// The place of a call.
struct Place {
    _permits: [OwnedSemaphorePermit; 2],
    metrics: Metrics,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.metrics.call_ended();
    }
}

tokio::task_local! {
    static PLACE: Arc<Place>;
}

/// Middleware: gives a call a place, or refuses it.
pub(super) async fn admit(State(load): State<Load>, request: Request, next: Next) -> Response {
    if !services::is_ours(request.uri().path()) {
        return next.run(request).await;
    }
    // Whoever came this far without a caller is not let in further on.
    let Some(caller) = request.extensions().get::<Caller>() else { return status::caller_unknown().into_http() };
    let Some(place) = load.place(caller) else {
        load.metrics.call_shed();
        return status::overloaded().into_http();
    };
    PLACE.scope(Arc::new(place), next.run(request)).await
}

/// `work`, which keeps the place of the present call until it ends.
pub(super) fn in_its_place<F: Future>(work: F) -> impl Future<Output = F::Output> {
    let place = PLACE.try_with(Arc::clone).ok();
    async move {
        let _place = place;
        work.await
    }
}

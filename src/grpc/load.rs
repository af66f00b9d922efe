//! How many calls run at once. One more is refused at once rather than left to wait: the others would be late too.
//!
//! A call keeps its place until its work has ended, also when its caller has gone meanwhile. Health and reflection need
//! no place.

use std::future::Future;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{services, status};
use crate::telemetry::metrics::Metrics;

/// The places.
#[derive(Clone)]
pub(super) struct Load {
    places: Arc<Semaphore>,
    metrics: Metrics,
}

impl Load {
    /// As many places as calls may run at once.
    pub(super) fn new(places: usize, metrics: Metrics) -> Self {
        Self { places: Arc::new(Semaphore::new(places.min(Semaphore::MAX_PERMITS))), metrics }
    }
}

/// The place of a call.
struct Place {
    _permit: OwnedSemaphorePermit,
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
    let Ok(permit) = load.places.try_acquire_owned() else {
        load.metrics.call_shed();
        return status::overloaded().into_http();
    };
    load.metrics.call_began();
    let place = Arc::new(Place { _permit: permit, metrics: load.metrics });
    PLACE.scope(place, next.run(request)).await
}

/// `work`, which keeps the place of the present call until it ends.
pub(super) fn in_its_place<F: Future>(work: F) -> impl Future<Output = F::Output> {
    let place = PLACE.try_with(Arc::clone).ok();
    async move {
        let _place = place;
        work.await
    }
}

//! Ensures that every error has details: tonic's own errors get a reason like ours.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use tonic::Status;

use super::{service_names, status};

/// Whether our handler has started. An error before that comes from tonic.
#[derive(Clone, Default)]
pub(super) struct HandlerStarted(Arc<AtomicBool>);

impl HandlerStarted {
    /// Records that the handler of the request has started.
    pub(super) fn record<T>(request: &tonic::Request<T>) {
        if let Some(Self(started)) = request.extensions().get() {
            started.store(true, Ordering::Relaxed);
        }
    }

    fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Middleware: replaces an error that tonic made itself (malformed or too large body, unknown method) by ours, which has
/// details. An error without details from our own handler is a defect: debug builds, such as all tests, panic.
pub(super) async fn ensure_error_details(mut request: Request, next: Next) -> Response {
    if !service_names::is_in_contract(request.uri().path()) {
        return next.run(request).await;
    }
    let handler_started = HandlerStarted::default();
    request.extensions_mut().insert(handler_started.clone());
    let response = next.run(request).await;
    match Status::from_header_map(response.headers()) {
        Some(error) if error.code() != tonic::Code::Ok && error.details().is_empty() => {
            if handler_started.is_set() {
                tracing::error!(code = ?error.code(), "a refusal without details");
                debug_assert!(false, "a refusal without details: make it in grpc/status.rs");
                return status::internal().into_http();
            }
            status::from_tonic_error(&error).into_http()
        }
        _ => response,
    }
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::body::Body;
    use axum::middleware::from_fn;
    use tonic::Code;
    use tonic::codegen::Service as _;
    use tonic_types::StatusExt as _;

    use super::*;

    const METHOD_OF_CONTRACT: &str = "/temporarypin.v1.TemporaryPinService/CheckEligibility";

    /// The status that the caller gets if the service returns `error` before or after our handler has started.
    async fn status_of_call(path: &str, handler_starts: bool, error: fn() -> Status) -> Status {
        let service = async move |request: Request| {
            let (parts, _) = request.into_parts();
            let request = tonic::Request::from_parts(Default::default(), parts.extensions, ());
            if handler_starts {
                HandlerStarted::record(&request);
            }
            error().into_http::<Body>()
        };
        let mut router = Router::new().fallback(service).layer(from_fn(ensure_error_details));
        let request = Request::builder().uri(path).body(Body::empty()).unwrap();
        Status::from_header_map(router.call(request).await.unwrap().headers()).unwrap()
    }

    #[tokio::test]
    #[should_panic(expected = "a refusal without details")]
    #[expect(clippy::disallowed_methods, reason = "the test needs a status without details")]
    async fn an_error_without_details_from_a_handler_panics() {
        status_of_call(METHOD_OF_CONTRACT, true, || Status::internal("x")).await;
    }

    #[tokio::test]
    async fn an_error_with_details_is_passed_on_unchanged() {
        let status = status_of_call(METHOD_OF_CONTRACT, true, status::deadline_exceeded).await;
        assert_eq!((status.code(), status.details()), (Code::DeadlineExceeded, status::deadline_exceeded().details()));
    }

    #[tokio::test]
    #[expect(clippy::disallowed_methods, reason = "tonic makes such a status")]
    async fn an_error_of_tonic_gets_details() {
        let status = status_of_call(METHOD_OF_CONTRACT, false, || Status::out_of_range("too large")).await;
        assert_eq!(status.code(), Code::ResourceExhausted);
        assert_eq!(status.get_details_error_info().unwrap().reason, "MESSAGE_TOO_LARGE");
    }

    #[tokio::test]
    #[expect(clippy::disallowed_methods, reason = "tonic-health makes such a status")]
    async fn errors_of_services_outside_the_contract_are_not_changed() {
        let status =
            status_of_call("/grpc.health.v1.Health/Check", false, || Status::not_found("service not registered")).await;
        assert_eq!((status.code(), status.details()), (Code::NotFound, &[][..]));
    }
}

//! No refusal leaves without its reason: what tonic refuses by itself gets the details that ours have.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use tonic::Status;

use super::{services, status};

/// Whether a handler of ours has begun. Whatever is refused before that, tonic has refused.
#[derive(Clone, Default)]
pub(super) struct Entered(Arc<AtomicBool>);

impl Entered {
    /// Notes that the handler of that request has begun.
    pub(super) fn note<T>(request: &tonic::Request<T>) {
        if let Some(Self(entered)) = request.extensions().get() {
            entered.store(true, Ordering::Relaxed);
        }
    }
}

/// Middleware: words tonic's own refusals (a body that is no message, or too large a one) as ours. A handler of ours that
/// refuses without details is a defect: in a debug build, which all tests are, the call fails loudly.
pub(super) async fn conform(mut request: Request, next: Next) -> Response {
    if !services::is_ours(request.uri().path()) {
        return next.run(request).await;
    }
    let entered = Entered::default();
    request.extensions_mut().insert(entered.clone());
    let response = next.run(request).await;
    match Status::from_header_map(response.headers()) {
        Some(refusal) if refusal.code() != tonic::Code::Ok && refusal.details().is_empty() => {
            if entered.0.load(Ordering::Relaxed) {
                tracing::error!(code = ?refusal.code(), "a refusal without details");
                debug_assert!(false, "a refusal without details: make it in grpc/status.rs");
                return status::internal().into_http();
            }
            status::of_tonic(&refusal).into_http()
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

    /// What leaves when the service answers so, before or after a handler of ours has begun.
    async fn left(path: &str, entered: bool, answer: fn() -> Status) -> Status {
        let service = async move |request: Request| {
            let (parts, _) = request.into_parts();
            let request = tonic::Request::from_parts(Default::default(), parts.extensions, ());
            if entered {
                Entered::note(&request);
            }
            answer().into_http::<Body>()
        };
        let mut router = Router::new().fallback(service).layer(from_fn(conform));
        let request = Request::builder().uri(path).body(Body::empty()).unwrap();
        Status::from_header_map(router.call(request).await.unwrap().headers()).unwrap()
    }

    const OURS: &str = "/temporarypin.v1.TemporaryPinService/CheckEligibility";

    #[tokio::test]
    #[should_panic(expected = "a refusal without details")]
    #[expect(clippy::disallowed_methods, reason = "it must not leave")]
    async fn a_bare_status_of_a_handler_fails_loudly() {
        left(OURS, true, || Status::internal("x")).await;
    }

    #[tokio::test]
    async fn a_status_with_details_leaves_as_it_is() {
        let status = left(OURS, true, status::deadline_exceeded).await;
        assert_eq!((status.code(), status.details()), (Code::DeadlineExceeded, status::deadline_exceeded().details()));
    }

    #[tokio::test]
    #[expect(clippy::disallowed_methods, reason = "as tonic does")]
    async fn what_tonic_refuses_gets_details() {
        let status = left(OURS, false, || Status::out_of_range("too large")).await;
        assert_eq!(status.code(), Code::ResourceExhausted);
        assert_eq!(status.get_details_error_info().unwrap().reason, "MESSAGE_TOO_LARGE");
    }

    #[tokio::test]
    #[expect(clippy::disallowed_methods, reason = "as tonic-health does")]
    async fn other_services_speak_for_themselves() {
        let status = left("/grpc.health.v1.Health/Check", false, || Status::not_found("service not registered")).await;
        assert_eq!((status.code(), status.details()), (Code::NotFound, &[][..]));
    }
}

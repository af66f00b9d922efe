//! No refusal leaves without its reason: what tonic refuses by itself gets the details that ours have.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use tonic::Status;

use super::status;

/// Middleware: words tonic's own refusals (a body that is no message, or too large a one) as ours.
pub(super) async fn conform(request: Request, next: Next) -> Response {
    let ours = request.uri().path().starts_with("/temporarypin.v1.");
    let response = next.run(request).await;
    if !ours || response.headers().contains_key("grpc-status-details-bin") {
        return response;
    }
    match Status::from_header_map(response.headers()).and_then(|refusal| status::detailed(&refusal)) {
        Some(refusal) => refusal.into_http(),
        None => response,
    }
}

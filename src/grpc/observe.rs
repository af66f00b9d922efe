//! What is seen of each call: one span, one log line, one measurement. Never a field of a message.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::HeaderMap;
use tokio::time::Instant;
use tonic::{Code, Status};
use tracing::field::Empty;
use tracing::{Instrument as _, info_span};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

use crate::telemetry::metrics::Metrics;
use crate::telemetry::propagation::parent_context;

/// The RPCs that are observed. Health and reflection are not: probes would drown the rest.
const METHODS: [&str; 4] = [
    "temporarypin.v1.TemporaryPinService/CheckEligibility",
    "temporarypin.v1.TemporaryPinService/VerifyIdentity",
    "temporarypin.v1.TemporaryPinService/IssueTemporaryPin",
    "temporarypin.v1.RedemptionService/RedeemTemporaryPin",
];

/// Middleware: observes a call.
pub(super) async fn observe(State(metrics): State<Metrics>, request: Request, next: Next) -> Response {
    let path = request.uri().path().trim_start_matches('/');
    let Some(method) = METHODS.into_iter().find(|method| *method == path) else { return next.run(request).await };
    let span =
        info_span!("rpc", otel.name = method, otel.kind = "server", rpc.method = method, caller = Empty, code = Empty);
    // Without a tracer there is nothing to link to; that is no failure of the call.
    let _ = span.set_parent(parent_context(request.headers()));
    let begin = Instant::now();
    let response = next.run(request).instrument(span.clone()).await;
    let code = code(response.headers());
    span.record("code", tracing::field::debug(code));
    span.in_scope(|| tracing::info!(method, ?code, micros = begin.elapsed().as_micros(), "call"));
    metrics.call(method, code, begin.elapsed());
    response
}

/// A unary call that fails says so in its headers; one that goes well says nothing there.
fn code(headers: &HeaderMap) -> Code {
    Status::from_header_map(headers).map_or(Code::Ok, |status| status.code())
}

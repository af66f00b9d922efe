//! What is seen of each call: one span, one log line, one measurement. Never a field of a message.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::HeaderMap;
use tokio::time::Instant;
use tonic::{Code, Status};
use tracing::field::{Empty, debug, display};
use tracing::{Instrument as _, info_span};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

use crate::telemetry::CALL;
use crate::telemetry::metrics::Metrics;
use crate::telemetry::propagation::{parent_context, trace_id};

/// The RPCs that are observed. Health and reflection are not: probes would drown the rest.
pub(super) const METHODS: [&str; 15] = [
    "temporarypin.v1.TemporaryPinService/CheckEligibility",
    "temporarypin.v1.TemporaryPinService/VerifyIdentity",
    "temporarypin.v1.TemporaryPinService/IssueTemporaryPin",
    "temporarypin.v1.RedemptionService/RedeemTemporaryPin",
    "temporarypin.v1.OperatorService/ListPinRequests",
    "temporarypin.v1.OperatorService/GetPinRequest",
    "temporarypin.v1.OperatorService/ListAccessRequests",
    "temporarypin.v1.OperatorService/ListLimits",
    "temporarypin.v1.OperatorService/GetPersonBlock",
    "temporarypin.v1.OperatorService/ListAuditEvents",
    "temporarypin.v1.OperatorService/RevokeTemporaryPin",
    "temporarypin.v1.OperatorService/CancelAccessRequest",
    "temporarypin.v1.OperatorService/BlockPerson",
    "temporarypin.v1.OperatorService/UnblockPerson",
    "temporarypin.v1.OperatorService/ResetLimit",
];

/// Middleware: observes a call.
pub(super) async fn observe(State(metrics): State<Metrics>, request: Request, next: Next) -> Response {
    let path = request.uri().path().trim_start_matches('/');
    let Some(method) = METHODS.into_iter().find(|method| *method == path) else { return next.run(request).await };
    let span = info_span!(
        target: CALL,
        "rpc",
        otel.name = method,
        otel.kind = "server",
        rpc.method = method,
        trace_id = Empty,
        caller = Empty,
        code = Empty,
    );
    // Without a tracer, as in tests, there is nothing to link to; that is no failure of the call.
    let _ = span.set_parent(parent_context(request.headers()));
    span.record("trace_id", display(trace_id(&span)));
    let begin = Instant::now();
    let response = next.run(request).instrument(span.clone()).await;
    let code = code(response.headers());
    span.record("code", debug(code));
    span.in_scope(|| tracing::info!(method, ?code, micros = begin.elapsed().as_micros(), "call"));
    metrics.call(method, code, begin.elapsed());
    response
}

/// A unary call that fails says so in its headers; one that goes well says nothing there.
fn code(headers: &HeaderMap) -> Code {
    Status::from_header_map(headers).map_or(Code::Ok, |status| status.code())
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::body::Body;
    use axum::middleware::from_fn_with_state;
    use opentelemetry::global;
    use serde_json::Value;
    use tonic::codegen::Service as _;
    use tonic_types::StatusExt as _;

    use super::super::status;
    use super::*;
    use crate::telemetry::tests::logs::written;

    /// What the caller of a failing call reports, and the lines that are logged within the call.
    fn defect(traceparent: Option<&str>) -> (String, Vec<Value>) {
        let service = async || {
            info_span!("part").in_scope(|| tracing::warn!("about to fail"));
            status::internal().into_http::<Body>()
        };
        let metrics = Metrics::new(&global::meter("test"));
        let mut router = Router::new().fallback(service).layer(from_fn_with_state(metrics, observe));
        let mut request = Request::builder().uri(format!("/{}", METHODS[0]));
        if let Some(traceparent) = traceparent {
            request = request.header("traceparent", traceparent);
        }
        let request = request.body(Body::empty()).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let mut reported = String::new();
        let log = written("info", true, || {
            let response = runtime.block_on(router.call(request)).unwrap();
            let status = Status::from_header_map(response.headers()).unwrap();
            reported = status.get_details_request_info().unwrap().request_id;
        });
        (reported, log.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
    }

    #[test]
    fn a_defect_is_reported_under_the_trace_id_of_the_log() {
        let (reported, lines) = defect(None);
        assert_ne!(reported, "0".repeat(32));
        assert_eq!(lines.len(), 2, "{lines:?}");
        for line in lines {
            assert_eq!(line["spans"][0]["trace_id"], *reported, "{line}");
        }
    }

    #[test]
    fn the_trace_id_is_that_of_the_caller() {
        let (reported, _) = defect(Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"));
        assert_eq!(reported, "0af7651916cd43dd8448eb211c80319c");
    }
}

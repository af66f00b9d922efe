//! Observes each call: one span, one log line, one metric. Never a field of a message, which may be personal data.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::HeaderMap;
use tokio::time::Instant;
use tonic::{Code, Status};
use tracing::field::{Empty, debug, display};
use tracing::{Instrument as _, info_span};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

use crate::telemetry::CALL_SPAN_TARGET;
use crate::telemetry::metrics::Metrics;
use crate::telemetry::propagation::{parent_context, trace_id};

/// The methods that are observed. Health and reflection are not: the many probes would hide the calls.
pub(super) const OBSERVED_METHODS: [&str; 15] = [
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
pub(super) async fn observe_call(State(metrics): State<Metrics>, request: Request, next: Next) -> Response {
    let path = request.uri().path().trim_start_matches('/');
    let Some(method) = OBSERVED_METHODS.into_iter().find(|method| *method == path) else {
        return next.run(request).await;
    };
    let span = info_span!(
        target: CALL_SPAN_TARGET,
        "rpc",
        otel.name = method,
        otel.kind = "server",
        rpc.method = method,
        trace_id = Empty,
        caller = Empty,
        code = Empty,
    );
    // This fails if there is no tracer, as in tests. The call is not affected.
    let _ = span.set_parent(parent_context(request.headers()));
    span.record("trace_id", display(trace_id(&span)));
    let start = Instant::now();
    let response = next.run(request).instrument(span.clone()).await;
    let code = status_code(response.headers());
    span.record("code", debug(code));
    span.in_scope(|| tracing::info!(method, ?code, micros = start.elapsed().as_micros(), "call"));
    metrics.record_call(method, code, start.elapsed());
    response
}

/// The status code of a response. Only a failed unary call has one in its headers.
fn status_code(headers: &HeaderMap) -> Code {
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
    use crate::telemetry::tests::logs::capture_log;

    /// Makes a call that fails with INTERNAL. Returns the request id that its caller gets, and the log lines of the call.
    fn fail_call(traceparent: Option<&str>) -> (String, Vec<Value>) {
        let service = async || {
            info_span!("part").in_scope(|| tracing::warn!("about to fail"));
            status::internal().into_http::<Body>()
        };
        let metrics = Metrics::new(&global::meter("test"));
        let mut router = Router::new().fallback(service).layer(from_fn_with_state(metrics, observe_call));
        let mut request = Request::builder().uri(format!("/{}", OBSERVED_METHODS[0]));
        if let Some(traceparent) = traceparent {
            request = request.header("traceparent", traceparent);
        }
        let request = request.body(Body::empty()).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let mut request_id = String::new();
        let log = capture_log("info", true, || {
            let response = runtime.block_on(router.call(request)).unwrap();
            let status = Status::from_header_map(response.headers()).unwrap();
            request_id = status.get_details_request_info().unwrap().request_id;
        });
        (request_id, log.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
    }

    #[test]
    fn an_internal_error_gives_the_caller_the_trace_id_of_the_log() {
        let (request_id, lines) = fail_call(None);
        assert_ne!(request_id, "0".repeat(32));
        assert_eq!(lines.len(), 2, "{lines:?}");
        for line in lines {
            assert_eq!(line["spans"][0]["trace_id"], *request_id, "{line}");
        }
    }

    #[test]
    fn the_trace_id_comes_from_the_callers_traceparent() {
        let (request_id, _) = fail_call(Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"));
        assert_eq!(request_id, "0af7651916cd43dd8448eb211c80319c");
    }
}

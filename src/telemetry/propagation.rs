//! W3C Trace Context of calls (`traceparent`, `tracestate`). Baggage is ignored, because it may contain personal data.

use http::{HeaderMap, HeaderName};
use opentelemetry::propagation::Extractor;
use opentelemetry::trace::{TraceContextExt as _, TraceId};
use opentelemetry::{Context, global};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

/// The caller's trace context, which is the parent of the call's span. Empty if there is none or it is malformed.
#[must_use]
pub fn parent_context(headers: &HeaderMap) -> Context {
    global::get_text_map_propagator(|propagator| propagator.extract(&Headers(headers)))
}

/// The id of the trace that a span belongs to. Support finds the logs of a call by it.
#[must_use]
pub fn trace_id(span: &Span) -> TraceId {
    span.context().span().span_context().trace_id()
}

/// The id of the current trace. It also works inside a span that is only for logs and not recorded as a part of the trace.
#[must_use]
pub fn current_trace_id() -> TraceId {
    Context::current().span().span_context().trace_id()
}

struct Headers<'a>(&'a HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(HeaderName::as_str).collect()
    }
}

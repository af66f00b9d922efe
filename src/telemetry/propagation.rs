//! W3C Trace Context of incoming calls (`traceparent`, `tracestate`). Baggage is not taken: it could hold anything.

use http::{HeaderMap, HeaderName};
use opentelemetry::propagation::Extractor;
use opentelemetry::{Context, global};

/// The caller's trace context: the parent of the call's span. Empty when there is none or it is malformed.
#[must_use]
pub fn parent_context(headers: &HeaderMap) -> Context {
    global::get_text_map_propagator(|propagator| propagator.extract(&Headers(headers)))
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

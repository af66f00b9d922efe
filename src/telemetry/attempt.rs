//! Spans for requests to dependencies, as parts of a call's trace.

use std::future::Future;

use tracing::{Instrument as _, Span};

/// Runs `attempt` in a span of its own, and marks the span if the attempt fails. Outside of any span, as in polls, probes
/// and batches, it creates none, because those would hide the calls.
pub async fn trace_attempt<T, E>(
    span: impl FnOnce() -> Span,
    attempt: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    let span = if Span::current().is_none() { Span::none() } else { span() };
    let result = attempt.instrument(span.clone()).await;
    if result.is_err() {
        span.record("otel.status_code", "ERROR");
    }
    result
}

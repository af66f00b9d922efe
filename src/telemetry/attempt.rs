//! What a call waits for, as a part of its trace.

use std::future::Future;

use tracing::{Instrument as _, Span};

/// `attempt` in a span of its own, which says so when it fails. Polls, probes and batches, which run outside of any call, get
/// no span: they would drown the rest.
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

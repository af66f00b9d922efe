//! The time limit of a call: it is answered in time, with DEADLINE_EXCEEDED (tonic alone would answer CANCELLED), and what
//! is done for it is bounded by the same deadline.

use std::time::Duration;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::HeaderMap;
use tokio::time::{Instant, timeout_at};

use super::status;
use crate::deadline;

/// What is kept of the caller's time to send the answer, before the caller (and tonic) give up. A call that brings no more
/// than this is refused at once: it could only be work for nobody.
const MARGIN: Duration = Duration::from_millis(20);

/// Middleware: bounds a call by the caller's `grpc-timeout`, or by `default` when there is none or a longer one.
pub(super) async fn bound(State(default): State<Duration>, request: Request, next: Next) -> Response {
    // Watching health is a stream that lasts.
    if request.uri().path() == "/grpc.health.v1.Health/Watch" {
        return next.run(request).await;
    }
    let asked = grpc_timeout(request.headers()).map(|asked| asked.saturating_sub(MARGIN));
    let time = asked.map_or(default, |asked| asked.min(default));
    if time.is_zero() {
        return status::deadline_exceeded().into_http();
    }
    let deadline = Instant::now() + time;
    match timeout_at(deadline, deadline::with_deadline(deadline, next.run(request))).await {
        Ok(response) => response,
        Err(_) => status::deadline_exceeded().into_http(),
    }
}

/// The `grpc-timeout` header: at most eight digits and a unit (gRPC over HTTP/2, "Timeout").
fn grpc_timeout(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get("grpc-timeout")?.to_str().ok()?;
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if digits.is_empty() || digits.len() > 8 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let value = digits.parse().ok()?;
    match unit {
        "H" => Some(Duration::from_secs(value * 3600)),
        "M" => Some(Duration::from_secs(value * 60)),
        "S" => Some(Duration::from_secs(value)),
        "m" => Some(Duration::from_millis(value)),
        "u" => Some(Duration::from_micros(value)),
        "n" => Some(Duration::from_nanos(value)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;
    use rstest::rstest;

    #[rstest]
    #[case("1S", Some(Duration::from_secs(1)))]
    #[case("250m", Some(Duration::from_millis(250)))]
    #[case("99999999H", Some(Duration::from_secs(99_999_999 * 3600)))]
    #[case("100000000S", None)]
    #[case("S", None)]
    #[case("", None)]
    #[case("-1S", None)]
    #[case("1x", None)]
    fn grpc_timeout_is_read_as_the_protocol_says(#[case] text: &str, #[case] expected: Option<Duration>) {
        let headers = HeaderMap::from_iter([("grpc-timeout".parse().unwrap(), HeaderValue::from_str(text).unwrap())]);
        assert_eq!(grpc_timeout(&headers), expected);
    }
}

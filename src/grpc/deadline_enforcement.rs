//! Enforces the deadline of a call. If the work is not finished in time, the caller gets DEADLINE_EXCEEDED before its own
//! time-out (tonic alone would answer CANCELLED). The same deadline limits the work that is done for the call
//! (`crate::deadline`).

use std::time::Duration;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::HeaderMap;
use tokio::time::{Instant, timeout_at};

use super::repeat_advice::{advice_for, with_advice};
use super::status;
use crate::deadline;

/// The time reserved to send the answer before the caller's own time-out (and tonic's) ends the call. A call with less
/// time than this is rejected at once, because no answer could arrive in time.
const RESPONSE_MARGIN: Duration = Duration::from_millis(20);

/// The stream of health changes. It stays open, so it has no deadline.
const HEALTH_WATCH_PATH: &str = "/grpc.health.v1.Health/Watch";

/// The largest number of digits of a `grpc-timeout` value.
const MAX_TIMEOUT_DIGITS: usize = 8;

/// Middleware: limits a call to `grpc-timeout` less `RESPONSE_MARGIN`, but at most to `max_duration`. A missing or malformed
/// header means `max_duration`.
pub(super) async fn enforce_deadline(State(max_duration): State<Duration>, request: Request, next: Next) -> Response {
    if request.uri().path() == HEALTH_WATCH_PATH {
        return next.run(request).await;
    }
    let requested = grpc_timeout(request.headers()).map(|timeout| timeout.saturating_sub(RESPONSE_MARGIN));
    let duration = requested.map_or(max_duration, |requested| requested.min(max_duration));
    let advice = advice_for(request.uri().path());
    let call = async {
        if duration.is_zero() {
            // No time is left after RESPONSE_MARGIN.
            return status::deadline_exceeded().into_http();
        }
        let deadline = Instant::now() + duration;
        match timeout_at(deadline, deadline::with_deadline(deadline, next.run(request))).await {
            Ok(response) => response,
            Err(_) => status::deadline_exceeded().into_http(),
        }
    };
    with_advice(advice, call).await
}

/// Parses the `grpc-timeout` header: at most eight digits and a unit (gRPC over HTTP/2, "Timeout").
fn grpc_timeout(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get("grpc-timeout")?.to_str().ok()?;
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let is_number =
        (1..=MAX_TIMEOUT_DIGITS).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number {
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
    fn grpc_timeout_is_parsed_as_the_protocol_specifies(#[case] text: &str, #[case] expected: Option<Duration>) {
        let headers = HeaderMap::from_iter([("grpc-timeout".parse().unwrap(), HeaderValue::from_str(text).unwrap())]);
        assert_eq!(grpc_timeout(&headers), expected);
    }
}

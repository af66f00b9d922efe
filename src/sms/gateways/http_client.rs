//! HTTP calls to gateways: one request, one bounded answer, and no second copy of the request by the client's own doing.

use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::{Client, Method, RequestBuilder, Response, Url};
use tracing::warn;
use zeroize::Zeroizing;

use crate::domain::dispatch::FailureKind;
use crate::io_error::find_io_error;
use crate::sms::gateway::SendFailure;

/// How much of an answer is read. The documented answers have some hundred bytes.
const MAX_ANSWER_BYTES: usize = 16 * 1024;

/// The longest `Retry-After` that is heeded. A longer one would let a PIN expire without another try.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(120);

/// How the calls to one gateway are bounded.
#[derive(Clone, Copy, Debug)]
pub struct CallLimits {
    /// Limits one call. Half of it limits the connecting.
    pub timeout: Duration,
    /// For how long an idle connection is kept for the next message. Shorter than the gateway keeps it: a request on a
    /// connection that the gateway is closing has an unknown outcome.
    pub idle_timeout: Duration,
}

/// A client of one gateway.
pub(super) struct HttpClient {
    client: Client,
    method: Method,
    url: Url,
    pub(super) timeout: Duration,
}

/// What the gateway answered.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    /// `None`: the body was longer than [`MAX_ANSWER_BYTES`], or the connection broke before its end.
    pub(super) body: Option<Vec<u8>>,
    pub(super) retry_after: Option<Duration>,
}

impl HttpClient {
    /// Fails if TLS cannot be set up.
    pub(super) fn new(method: Method, url: Url, limits: CallLimits) -> anyhow::Result<Self> {
        let client = Client::builder()
            .timeout(limits.timeout)
            .connect_timeout(limits.timeout / 2)
            .pool_idle_timeout(limits.idle_timeout)
            // A proxy of the environment would read the PIN of a gateway on loopback, which needs no TLS.
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION")))
            .build()
            .context("cannot set up the client of the SMS gateway")?;
        Ok(Self { client, method, url, timeout: limits.timeout })
    }

    /// Sends the request that `prepare` completes, and reads the answer.
    pub(super) async fn call(
        &self,
        prepare: impl FnOnce(RequestBuilder) -> RequestBuilder,
    ) -> Result<Answer, SendFailure> {
        let request = prepare(self.client.request(self.method.clone(), self.url.clone()));
        let response = request.send().await.map_err(|error| classify_error(&error))?;
        let (status, retry_after) = (response.status(), read_retry_after(response.headers()));
        Ok(Answer { status, body: read_body(response).await, retry_after })
    }
}

/// A header that the client's debug output masks. A value that no header can have becomes empty, which the gateway refuses.
pub(super) fn secret_header(value: &str) -> HeaderValue {
    let mut header = HeaderValue::from_str(value).unwrap_or_else(|_| HeaderValue::from_static(""));
    header.set_sensitive(true);
    header
}

/// Adds a JSON body. The body is wiped after the call. HTTP and TLS make copies that this code cannot wipe.
pub(super) fn with_json(request: RequestBuilder, body: Zeroizing<Vec<u8>>) -> RequestBuilder {
    request.header(CONTENT_TYPE, HeaderValue::from_static("application/json")).body(Bytes::from_owner(body))
}

impl Answer {
    /// What the status alone says about a message that was not accepted. Only the listed statuses are certain: anything else
    /// may come from a proxy, after the gateway has taken the message.
    pub(super) fn classify_status(&self) -> FailureKind {
        match self.status {
            StatusCode::TOO_MANY_REQUESTS => FailureKind::NotTaken,
            StatusCode::UNAUTHORIZED | StatusCode::PAYMENT_REQUIRED | StatusCode::FORBIDDEN | StatusCode::NOT_FOUND => {
                FailureKind::Account
            }
            _ => FailureKind::Unknown,
        }
    }

    /// The failure with the status, and an error code of the gateway if there is one.
    pub(super) fn failure(&self, kind: FailureKind, code: Option<&str>) -> SendFailure {
        let status = self.status.as_u16();
        let reason = code.map_or_else(|| format!("status {status}"), |code| format!("status {status}, code {code}"));
        SendFailure { kind, reason, retry_after: self.retry_after }
    }
}

/// Reads the body up to its bound.
async fn read_body(mut response: Response) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() <= MAX_ANSWER_BYTES => body.extend_from_slice(&chunk),
            Ok(Some(_)) => {
                warn!(limit = MAX_ANSWER_BYTES, "the answer of the SMS gateway is too long");
                return None;
            }
            Ok(None) => return Some(body),
            Err(error) => {
                warn!(cause = find_io_error(&error), "the answer of the SMS gateway broke off");
                return None;
            }
        }
    }
}

/// `Retry-After` in seconds. A date is not read: it would need the gateway's clock to agree with ours.
fn read_retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds).min(MAX_RETRY_AFTER))
}

/// Classifies a call without a response. The text of the error is left out, because it contains the URL; the log gets the
/// input/output error behind it.
fn classify_error(error: &reqwest::Error) -> SendFailure {
    warn!(cause = find_io_error(error), "no response from the SMS gateway");
    if error.is_connect() {
        SendFailure::new(FailureKind::NotTaken, "cannot connect")
    } else if error.is_timeout() {
        SendFailure::new(FailureKind::Unknown, "no answer in time")
    } else {
        SendFailure::new(FailureKind::Unknown, "the connection broke")
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("5", Some(5))]
    #[case(" 30 ", Some(30))]
    #[case("86400", Some(120))]
    #[case("Fri, 27 Nov 2026 07:28:00 GMT", None)]
    #[case("-1", None)]
    #[case("", None)]
    fn r29_retry_after_is_read_in_seconds_and_bounded(#[case] value: &str, #[case] seconds: Option<u64>) {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, HeaderValue::from_str(value).unwrap());
        assert_eq!(read_retry_after(&headers), seconds.map(Duration::from_secs));
    }
}

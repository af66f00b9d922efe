//! GatewayAPI (OnlineCity, Denmark), `POST /rest/mtsms`: <https://gatewayapi.com/docs/apis/rest/>. The provider calls it legacy.

use std::time::Duration;

use reqwest::{Method, Url};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use tracing::Span;
use tracing::field::Empty;
use zeroize::Zeroizing;

use super::http_client::{Answer, CallLimits, HttpClient, with_json};
use crate::domain::dispatch::FailureKind;
use crate::sms::gateway::{Acceptance, Gateway, OutgoingSms, SendFailure};

/// Capacity in bytes for the body of a request. More than any body needs, so that the buffer does not grow: a buffer that grows
/// is moved, and leaves copies in memory.
const BODY_CAPACITY: usize = 2048;

/// Longest error code of GatewayAPI that is logged and stored, in bytes. Codes look like `0x0213`.
const MAX_CODE_LENGTH: usize = 16;

/// A client of GatewayAPI.
pub struct GatewayApi {
    client: HttpClient,
    token: SecretString,
    sender: String,
    least_validity: Duration,
}

/// The body of `POST /rest/mtsms`.
#[derive(Serialize)]
struct Request<'a> {
    sender: &'a str,
    message: &'a str,
    recipients: [Recipient<'a>; 1],
    userref: &'a str,
    validity_period: u64,
    /// `secret` blurs the text in the provider's dashboard.
    class: &'static str,
}

#[derive(Serialize)]
struct Recipient<'a> {
    /// E.164 without `+`.
    msisdn: &'a str,
}

/// The response if the message is accepted.
#[derive(Deserialize)]
struct AcceptedResponse {
    ids: Vec<u64>,
}

/// The response if the message is refused.
#[derive(Deserialize)]
struct RefusedResponse {
    code: String,
}

impl GatewayApi {
    /// A client that posts to `url`. `sender`: what phones show as the sender, at most 11 letters and digits or 15 digits.
    /// Fails if TLS cannot be set up.
    pub fn new(
        url: Url,
        token: SecretString,
        sender: String,
        least_validity: Duration,
        limits: CallLimits,
    ) -> anyhow::Result<Self> {
        Ok(Self { client: HttpClient::new(Method::POST, url, limits)?, token, sender, least_validity })
    }
}

impl Gateway for GatewayApi {
    fn timeout(&self) -> Duration {
        self.client.timeout
    }

    fn least_validity(&self) -> Duration {
        self.least_validity
    }

    #[tracing::instrument(name = "gateway.send", skip_all, fields(otel.kind = "client", otel.status_code = Empty))]
    async fn send(&self, message: &OutgoingSms) -> Result<Acceptance, SendFailure> {
        let number = message.recipient.e164();
        let request = Request {
            sender: &self.sender,
            message: &message.text,
            recipients: [Recipient { msisdn: number.strip_prefix('+').unwrap_or(number) }],
            userref: &message.reference,
            validity_period: message.validity.as_secs().max(1),
            class: "secret",
        };
        let mut body = Zeroizing::new(Vec::with_capacity(BODY_CAPACITY));
        serde_json::to_writer(&mut *body, &request).expect("strings and numbers are JSON");
        // GatewayAPI takes the token as the user name, with an empty password.
        let call = self.client.call(|call| with_json(call.basic_auth(self.token.expose_secret(), Some("")), body));
        let result = call.await.and_then(|answer| read_answer(&answer));
        if result.is_err() {
            Span::current().record("otel.status_code", "ERROR");
        }
        result
    }
}

/// Accepted is a message with a status of success *and* an id: a login page or an empty answer of a proxy is neither. Refused
/// for good is a message with status 400 or 422 and an error code, which only GatewayAPI writes. The reason has the status and
/// the code; the rest of the answer is left out, because it may repeat the number.
fn read_answer(answer: &Answer) -> Result<Acceptance, SendFailure> {
    let body = answer.body.as_deref().unwrap_or_default();
    if answer.status.is_success() {
        let ids = serde_json::from_slice(body).map(|AcceptedResponse { ids }| ids).unwrap_or_default();
        let id = ids.first().ok_or_else(|| answer.failure(FailureKind::Unknown, None))?;
        return Ok(Acceptance { gateway_reference: Some(id.to_string()) });
    }
    let code =
        serde_json::from_slice(body).ok().map(|RefusedResponse { code }| code).filter(|code| is_error_code(code));
    let kind = match answer.status.as_u16() {
        400 | 422 if code.is_some() => FailureKind::Message,
        _ => answer.classify_status(),
    };
    Err(answer.failure(kind, code.as_deref()))
}

/// Whether the text is `0x` and hexadecimal digits. Other texts are not logged, so that the gateway cannot write into our log.
fn is_error_code(code: &str) -> bool {
    code.len() <= MAX_CODE_LENGTH
        && code.strip_prefix("0x").is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

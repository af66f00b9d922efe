//! GatewayAPI (OnlineCity, Denmark), `POST /rest/mtsms`: <https://gatewayapi.com/docs/apis/rest/>.

use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use http::StatusCode;
use http::header::CONTENT_TYPE;
use reqwest::{Client, Response, Url};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use tracing::field::Empty;
use tracing::{Span, warn};
use zeroize::Zeroizing;

use crate::io_error::find_io_error;
use crate::sms::gateway::{Acceptance, Gateway, GatewayError, OutgoingSms};

/// Capacity in bytes for the body of a request. More than any body needs, so that the buffer does not grow: a buffer that grows
/// is moved, and leaves copies in memory.
const BODY_CAPACITY: usize = 2048;

/// Longest error code of GatewayAPI that is logged and stored, in bytes. Codes look like `0x0213`.
const MAX_CODE_LENGTH: usize = 16;

/// A client of GatewayAPI.
pub struct GatewayApi {
    client: Client,
    url: Url,
    token: SecretString,
    sender: String,
    timeout: Duration,
}

/// The body of `POST /rest/mtsms`.
#[derive(Serialize)]
struct Request<'a> {
    sender: &'a str,
    message: &'a str,
    recipients: [Recipient<'a>; 1],
    userref: &'a str,
    validity_period: u64,
}

#[derive(Serialize)]
struct Recipient<'a> {
    /// E.164 without `+`.
    msisdn: &'a str,
}

/// The response if the message is accepted.
#[derive(Default, Deserialize)]
struct AcceptedResponse {
    #[serde(default)]
    ids: Vec<u64>,
}

/// The response if the message is refused.
#[derive(Default, Deserialize)]
struct RefusedResponse {
    #[serde(default)]
    code: Option<String>,
}

impl GatewayApi {
    /// A client that posts to `url`. `sender`: what phones show as the sender, at most 11 letters and digits or 15 digits.
    ///
    /// `timeout` limits one call, and half of it limits the connecting. Fails if TLS cannot be set up.
    pub fn new(url: Url, token: SecretString, sender: String, timeout: Duration) -> anyhow::Result<Self> {
        let client = Client::builder()
            .timeout(timeout)
            .connect_timeout(timeout / 2)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION")))
            .build()
            .context("cannot set up the client of the SMS gateway")?;
        Ok(Self { client, url, token, sender, timeout })
    }
}

impl Gateway for GatewayApi {
    fn timeout(&self) -> Duration {
        self.timeout
    }

    #[tracing::instrument(name = "gateway.send", skip_all, fields(otel.kind = "client", otel.status_code = Empty))]
    async fn send(&self, message: &OutgoingSms) -> Result<Acceptance, GatewayError> {
        let number = message.recipient.e164();
        let request = Request {
            sender: &self.sender,
            message: &message.text,
            recipients: [Recipient { msisdn: number.strip_prefix('+').unwrap_or(number) }],
            userref: &message.reference,
            validity_period: message.validity.as_secs().max(1),
        };
        // Wiped after the call. HTTP and TLS make copies that this code cannot wipe.
        let mut body = Zeroizing::new(Vec::with_capacity(BODY_CAPACITY));
        serde_json::to_writer(&mut *body, &request).expect("strings and numbers are JSON");
        let response = self
            .client
            .post(self.url.clone())
            // GatewayAPI takes the token as the user name, with an empty password.
            .basic_auth(self.token.expose_secret(), Some(""))
            .header(CONTENT_TYPE, "application/json")
            .body(Bytes::from_owner(body))
            .send()
            .await
            .map_err(|error| {
                Span::current().record("otel.status_code", "ERROR");
                classify_error(&error)
            })?;
        if response.status().is_success() {
            // The status alone says that the message is accepted; the body only adds the id.
            let accepted: AcceptedResponse = response.json().await.unwrap_or_default();
            return Ok(Acceptance { gateway_reference: accepted.ids.first().map(u64::to_string) });
        }
        Span::current().record("otel.status_code", "ERROR");
        Err(classify_response(response).await)
    }
}

/// Classifies a call without a response. The text of the error is left out, because it contains the URL; the log gets the
/// input/output error behind it.
fn classify_error(error: &reqwest::Error) -> GatewayError {
    warn!(cause = find_io_error(error), "no response from the SMS gateway");
    if error.is_connect() {
        GatewayError::Temporary("cannot connect".to_owned())
    } else if error.is_timeout() {
        GatewayError::Unknown("no answer in time".to_owned())
    } else {
        GatewayError::Unknown("the connection broke".to_owned())
    }
}

/// Classifies a response other than 2xx. The reason consists of the status and the error code of GatewayAPI. The rest of the
/// response is left out, because it may repeat the number.
async fn classify_response(response: Response) -> GatewayError {
    let status = response.status();
    let refused: RefusedResponse = response.json().await.unwrap_or_default();
    let mut reason = format!("status {}", status.as_u16());
    if let Some(code) = refused.code.filter(|code| is_error_code(code)) {
        reason = format!("{reason}, code {code}");
    }
    match status {
        // The failure may have happened after the gateway accepted the message.
        StatusCode::INTERNAL_SERVER_ERROR | StatusCode::BAD_GATEWAY | StatusCode::GATEWAY_TIMEOUT => {
            GatewayError::Unknown(reason)
        }
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => GatewayError::Temporary(reason),
        status if status.is_client_error() => GatewayError::Permanent(reason),
        _ => GatewayError::Temporary(reason),
    }
}

/// Whether the text is `0x` and hexadecimal digits. Other texts are not logged, so that the gateway cannot write into our log.
fn is_error_code(code: &str) -> bool {
    code.len() <= MAX_CODE_LENGTH
        && code.strip_prefix("0x").is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

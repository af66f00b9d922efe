//! GatewayAPI (OnlineCity, Denmark), `POST /rest/mtsms`: <https://gatewayapi.com/docs/apis/rest/>.

use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use http::StatusCode;
use http::header::CONTENT_TYPE;
use reqwest::{Client, Response, Url};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use tracing::Span;
use tracing::field::Empty;
use zeroize::Zeroizing;

use crate::sms::gateway::{Acceptance, Gateway, GatewayError, OutgoingSms};

/// More bytes than a request has, so that it does not grow and leave copies behind.
const BODY_ROOM: usize = 2048;

/// Longest error code of theirs that we keep. They look like `0x0213`.
const CODE_LENGTH: usize = 16;

/// Client of GatewayAPI.
pub struct GatewayApi {
    client: Client,
    url: Url,
    token: SecretString,
    sender: String,
    timeout: Duration,
}

/// What `POST /rest/mtsms` takes.
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

/// The answer when it took the message.
#[derive(Default, Deserialize)]
struct Taken {
    #[serde(default)]
    ids: Vec<u64>,
}

/// The answer when it did not.
#[derive(Default, Deserialize)]
struct Refused {
    #[serde(default)]
    code: Option<String>,
}

impl GatewayApi {
    /// A client that posts to `url` as the sender that phones show (at most 11 letters and digits, or 15 digits).
    ///
    /// `timeout` bounds one call, half of it the connecting. Fails when TLS cannot be set up.
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
        // Wiped when it has been sent. The copies that HTTP and TLS make of it on the way are theirs.
        let mut body = Zeroizing::new(Vec::with_capacity(BODY_ROOM));
        serde_json::to_writer(&mut *body, &request).expect("strings and numbers are JSON");
        let response = self
            .client
            .post(self.url.clone())
            // Their form of token authentication: the token is the user, without a password.
            .basic_auth(self.token.expose_secret(), Some(""))
            .header(CONTENT_TYPE, "application/json")
            .body(Bytes::from_owner(body))
            .send()
            .await
            .map_err(|error| {
                Span::current().record("otel.status_code", "ERROR");
                no_answer(&error)
            })?;
        if response.status().is_success() {
            // The message is taken, readable answer or not.
            let taken: Taken = response.json().await.unwrap_or_default();
            return Ok(Acceptance { gateway_reference: taken.ids.first().map(u64::to_string) });
        }
        Span::current().record("otel.status_code", "ERROR");
        Err(refusal(response).await)
    }
}

/// An error of the connection. Its own text is not used: it names the URL.
fn no_answer(error: &reqwest::Error) -> GatewayError {
    if error.is_connect() {
        GatewayError::Temporary("cannot connect".to_owned())
    } else if error.is_timeout() {
        GatewayError::Unknown("no answer in time".to_owned())
    } else {
        GatewayError::Unknown("the connection broke".to_owned())
    }
}

/// An answer other than 2xx, as status and their error code. The rest of it may repeat the number.
async fn refusal(response: Response) -> GatewayError {
    let status = response.status();
    let refused: Refused = response.json().await.unwrap_or_default();
    let mut reason = format!("status {}", status.as_u16());
    if let Some(code) = refused.code.filter(|code| is_error_code(code)) {
        reason = format!("{reason}, code {code}");
    }
    match status {
        // It broke somewhere behind the gateway's door, perhaps after the message was taken.
        StatusCode::INTERNAL_SERVER_ERROR | StatusCode::BAD_GATEWAY | StatusCode::GATEWAY_TIMEOUT => {
            GatewayError::Unknown(reason)
        }
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => GatewayError::Temporary(reason),
        status if status.is_client_error() => GatewayError::Permanent(reason),
        _ => GatewayError::Temporary(reason),
    }
}

/// `0x` and hex digits, so that nothing else can be smuggled into our log.
fn is_error_code(code: &str) -> bool {
    code.len() <= CODE_LENGTH
        && code.strip_prefix("0x").is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

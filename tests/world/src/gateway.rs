//! An SMS gateway with GatewayAPI's method `POST /rest/mtsms`. It delivers the messages that it accepts to an inbox.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::body::Body;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use futures_util::StreamExt as _;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use temporary_pin::clock::Clock;

use crate::switch::Switch;

/// The path of the gateway on its HTTP server.
pub const PATH: &str = "/rest/mtsms";

/// The token that the service must present.
pub const TOKEN: &str = "sandbox-gateway-token";

/// Length limits that GatewayAPI documents for the sender: letters and signs, or digits.
const MAX_SENDER_CHARACTERS: usize = 11;
const MAX_SENDER_DIGITS: usize = 15;

/// How the gateway behaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GatewayMode {
    /// Accepts messages and delivers them.
    Accept,
    /// Rejects every message permanently.
    Reject,
    /// Delivers at once, but answers so late that the sender may have given up.
    Slow(Duration),
    /// Its own server refuses connections. On other servers it answers 503.
    Down,
    /// As a proxy or a broken gateway might: this answer, whether it has taken the message or not.
    Answer(FixedAnswer),
    /// Promises an answer, sends the half of it, and closes the connection.
    Half {
        /// Whether it has delivered the message.
        takes: bool,
    },
}

/// What a gateway in the mode [`GatewayMode::Answer`] answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FixedAnswer {
    pub status: StatusCode,
    pub body: String,
    /// The value of `Retry-After`.
    pub retry_after: Option<u32>,
    /// Whether it has delivered the message.
    pub takes: bool,
}

/// Where accepted messages go.
pub trait Inbox: Send + Sync + 'static {
    /// Keeps a message. `number` is in E.164 form.
    fn receive(&self, number: String, message: Message);
}

/// A delivered SMS.
#[derive(Clone, Serialize)]
pub struct Message {
    pub time: DateTime<Utc>,
    pub sender: String,
    pub text: String,
    /// The service's own id of the message.
    pub reference: Option<String>,
    /// For how long the gateway may try to deliver the message.
    pub validity_seconds: Option<u64>,
}

pub struct Gateway<I> {
    pub mode: Switch<GatewayMode>,
    inbox: Arc<I>,
    clock: Arc<dyn Clock>,
    next_id: AtomicU64,
    /// The values of `Authorization` that prove the token.
    authorizations: [String; 2],
}

/// The fields of a message that the gateway reads. GatewayAPI has more fields; they are ignored.
#[derive(Deserialize)]
struct Submission {
    #[serde(default)]
    sender: String,
    message: String,
    recipients: Vec<Recipient>,
    userref: Option<String>,
    validity_period: Option<u64>,
}

#[derive(Deserialize)]
struct Recipient {
    msisdn: Value,
}

impl<I: Inbox> Gateway<I> {
    /// A gateway that accepts messages. `clock` gives the time of each.
    pub fn new(inbox: Arc<I>, clock: Arc<dyn Clock>) -> Self {
        // GatewayAPI accepts two forms: `Token …`, or the token as the user name of basic authentication.
        let basic = format!("Basic {}", STANDARD.encode(format!("{TOKEN}:")));
        Self {
            mode: Switch::new(GatewayMode::Accept),
            inbox,
            clock,
            next_id: AtomicU64::new(1),
            authorizations: [format!("Token {TOKEN}"), basic],
        }
    }

    /// The route at [`PATH`].
    pub fn routes(self: &Arc<Self>) -> Router {
        let submit = async |State(gateway): State<Arc<Self>>, headers: HeaderMap, body: Bytes| {
            gateway.submit(&headers, &body).await
        };
        Router::new().route(PATH, post(submit)).with_state(Arc::clone(self))
    }

    async fn submit(&self, headers: &HeaderMap, body: &[u8]) -> Response {
        let mode = self.mode.get();
        match &mode {
            GatewayMode::Answer(answer) => {
                self.deliver_if(answer.takes, body);
                return answer.to_response();
            }
            GatewayMode::Half { takes } => {
                self.deliver_if(*takes, body);
                return half_an_answer();
            }
            _ => {}
        }
        if mode == GatewayMode::Down {
            return error(StatusCode::SERVICE_UNAVAILABLE, "0x0100", "the sandbox's gateway is switched to down");
        }
        if !self.is_authorized(headers) {
            return error(StatusCode::UNAUTHORIZED, "0x0200", "the token is missing or wrong");
        }
        if mode == GatewayMode::Reject {
            return error(StatusCode::UNPROCESSABLE_ENTITY, "0x0308", "the sandbox's gateway is switched to reject");
        }
        let submission: Submission = match serde_json::from_slice(body) {
            Ok(submission) => submission,
            Err(problem) => return error(StatusCode::BAD_REQUEST, "0x0301", &problem.to_string()),
        };
        let numbers = match read_recipients(&submission) {
            Ok(numbers) => numbers,
            Err(problem) => return error(StatusCode::UNPROCESSABLE_ENTITY, "0x0302", problem),
        };
        let ids: Vec<u64> = numbers.into_iter().map(|number| self.deliver(number, &submission)).collect();
        if let GatewayMode::Slow(delay) = mode {
            tokio::time::sleep(delay).await;
        }
        let usage = json!({ "countries": {}, "currency": "DKK", "total_cost": 0.0 });
        (StatusCode::OK, Json(json!({ "ids": ids, "usage": usage }))).into_response()
    }

    /// Delivers a message if `takes`, whatever the answer will be.
    fn deliver_if(&self, takes: bool, body: &[u8]) {
        let Some(submission) = serde_json::from_slice::<Submission>(body).ok().filter(|_| takes) else { return };
        for number in read_recipients(&submission).unwrap_or_default() {
            self.deliver(number, &submission);
        }
    }

    fn deliver(&self, number: String, submission: &Submission) -> u64 {
        let message = Message {
            time: self.clock.now(),
            sender: submission.sender.clone(),
            text: submission.message.clone(),
            reference: submission.userref.clone(),
            validity_seconds: submission.validity_period,
        };
        self.inbox.receive(number, message);
        self.next_id.fetch_add(1, Ordering::Relaxed)
    }

    fn is_authorized(&self, headers: &HeaderMap) -> bool {
        let presented = headers.get(header::AUTHORIZATION).map(|value| value.as_bytes());
        self.authorizations.iter().any(|expected| presented == Some(expected.as_bytes()))
    }
}

/// Checks a message, and gives its recipients in E.164 form.
fn read_recipients(submission: &Submission) -> Result<Vec<String>, &'static str> {
    let sender = &submission.sender;
    let is_name = (1..=MAX_SENDER_CHARACTERS).contains(&sender.len())
        && sender.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ');
    let is_number = (1..=MAX_SENDER_DIGITS).contains(&sender.len()) && sender.bytes().all(|byte| byte.is_ascii_digit());
    if !is_name && !is_number {
        return Err("sender: must be at most 11 characters or 15 digits");
    }
    if submission.message.is_empty() {
        return Err("message: must not be empty");
    }
    if submission.recipients.is_empty() {
        return Err("recipients: must not be empty");
    }
    submission.recipients.iter().map(|recipient| to_e164(&recipient.msisdn)).collect()
}

/// Reads a number without its plus sign, given as a JSON number or a text.
fn to_e164(msisdn: &Value) -> Result<String, &'static str> {
    let digits = msisdn.as_u64().map(|number| number.to_string()).or_else(|| msisdn.as_str().map(str::to_owned));
    digits
        .filter(|digits| (8..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit()))
        .map(|digits| format!("+{digits}"))
        .ok_or("recipients.msisdn: must be digits with the country code and no plus sign")
}

fn error(status: StatusCode, code: &str, message: &str) -> Response {
    (status, Json(json!({ "code": code, "message": message, "variables": [] }))).into_response()
}

impl FixedAnswer {
    fn to_response(&self) -> Response {
        let mut response = (self.status, self.body.clone()).into_response();
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// The body breaks off, so the server closes the connection.
fn half_an_answer() -> Response {
    let parts = [Ok("{\"ids\": [4"), Err(io::Error::from(io::ErrorKind::BrokenPipe))];
    // A pause before the end, so that the beginning is on its way.
    let parts = futures_util::stream::iter(parts).then(async |part| {
        tokio::time::sleep(Duration::from_millis(20)).await;
        part
    });
    Response::new(Body::from_stream(parts))
}

//! An SMS gateway that speaks GatewayAPI's `POST /rest/mtsms` and puts what it accepts on the sandbox's phones.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Json;
use axum::http::{HeaderMap, StatusCode, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::mode::Switch;
use crate::phones::{Message, Phones};

/// The token that the service must present.
pub const TOKEN: &str = "sandbox-gateway-token";

/// How the gateway behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GatewayMode {
    /// Takes messages and delivers them.
    Accept,
    /// Refuses every message for good.
    Reject,
    /// Delivers at once, but answers so late that the sender may have given up.
    Slow(Duration),
    /// Answers 503.
    Down,
}

/// The gateway.
pub struct Gateway {
    pub mode: Switch<GatewayMode>,
    pub phones: Arc<Phones>,
    next_id: AtomicU64,
}

/// What is read of a message. GatewayAPI knows more fields; none is refused.
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

impl Gateway {
    /// A gateway that accepts.
    pub fn new(phones: Arc<Phones>) -> Self {
        Self { mode: Switch::new(GatewayMode::Accept), phones, next_id: AtomicU64::new(1) }
    }

    /// Answers `POST /rest/mtsms`.
    pub async fn submit(&self, headers: &HeaderMap, body: &[u8], now: DateTime<Utc>) -> (StatusCode, Json<Value>) {
        let mode = self.mode.get();
        if mode == GatewayMode::Down {
            return error(StatusCode::SERVICE_UNAVAILABLE, "0x0100", "the sandbox's gateway is switched to down");
        }
        if !authorised(headers) {
            return error(StatusCode::UNAUTHORIZED, "0x0200", "the token is missing or wrong");
        }
        if mode == GatewayMode::Reject {
            return error(StatusCode::UNPROCESSABLE_ENTITY, "0x0308", "the sandbox's gateway is switched to reject");
        }
        let submission: Submission = match serde_json::from_slice(body) {
            Ok(submission) => submission,
            Err(problem) => return error(StatusCode::BAD_REQUEST, "0x0301", &problem.to_string()),
        };
        let numbers = match check(&submission) {
            Ok(numbers) => numbers,
            Err(problem) => return error(StatusCode::UNPROCESSABLE_ENTITY, "0x0302", problem),
        };
        let ids: Vec<u64> = numbers.into_iter().map(|number| self.deliver(number, &submission, now)).collect();
        if let GatewayMode::Slow(delay) = mode {
            tokio::time::sleep(delay).await;
        }
        let usage = json!({ "countries": {}, "currency": "DKK", "total_cost": 0.0 });
        (StatusCode::OK, Json(json!({ "ids": ids, "usage": usage })))
    }

    fn deliver(&self, number: String, submission: &Submission, now: DateTime<Utc>) -> u64 {
        let message = Message {
            time: now,
            sender: submission.sender.clone(),
            text: submission.message.clone(),
            reference: submission.userref.clone(),
            validity_seconds: submission.validity_period,
        };
        self.phones.receive(number, message);
        self.next_id.fetch_add(1, Ordering::Relaxed)
    }
}

/// As GatewayAPI has it: `Authorization: Token …`, or the token as the user name of basic authentication.
fn authorised(headers: &HeaderMap) -> bool {
    let presented = headers.get(header::AUTHORIZATION).map(|value| value.as_bytes());
    let basic = format!("Basic {}", STANDARD.encode(format!("{TOKEN}:")));
    presented == Some(format!("Token {TOKEN}").as_bytes()) || presented == Some(basic.as_bytes())
}

/// The recipients in E.164 form.
fn check(submission: &Submission) -> Result<Vec<String>, &'static str> {
    let sender = &submission.sender;
    let named = (1..=11).contains(&sender.len()) && sender.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ');
    let numbered = (1..=15).contains(&sender.len()) && sender.bytes().all(|byte| byte.is_ascii_digit());
    if !named && !numbered {
        return Err("sender: must be at most 11 characters or 15 digits");
    }
    if submission.message.is_empty() {
        return Err("message: must not be empty");
    }
    if submission.recipients.is_empty() {
        return Err("recipients: must not be empty");
    }
    submission.recipients.iter().map(|recipient| e164(&recipient.msisdn)).collect()
}

/// A number without its plus sign, as a JSON number or text.
fn e164(msisdn: &Value) -> Result<String, &'static str> {
    let digits = msisdn.as_u64().map(|number| number.to_string()).or_else(|| msisdn.as_str().map(str::to_owned));
    digits
        .filter(|digits| (8..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit()))
        .map(|digits| format!("+{digits}"))
        .ok_or("recipients.msisdn: must be digits with the country code and no plus sign")
}

fn error(status: StatusCode, code: &str, message: &str) -> (StatusCode, Json<Value>) {
    (status, Json(json!({ "code": code, "message": message, "variables": [] })))
}

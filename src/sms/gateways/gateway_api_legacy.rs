//! GatewayAPI (OnlineCity, Denmark), `POST /rest/mtsms`: <https://gatewayapi.com/docs/apis/rest/>. The provider calls it legacy.

use reqwest::RequestBuilder;
use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::http_client::{Answer, with_json};
use super::{Account, msisdn};
use crate::domain::dispatch::FailureKind;
use crate::sms::gateway::{Acceptance, OutgoingSms, SendFailure};

/// Capacity in bytes for the body of a request. More than any body needs, so that the buffer does not grow: a buffer that grows
/// is moved, and leaves copies in memory.
pub(super) const BODY_CAPACITY: usize = 2048;

/// Longest error code of GatewayAPI that is logged and stored, in bytes. Codes look like `0x0213`.
const MAX_CODE_LENGTH: usize = 16;

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

/// The answer if the message is accepted.
#[derive(Deserialize)]
struct AcceptedAnswer {
    ids: Vec<u64>,
}

/// The answer if the message is refused.
#[derive(Deserialize)]
struct RefusedAnswer {
    code: String,
}

pub(super) fn prepare(request: RequestBuilder, account: &Account, message: &OutgoingSms) -> RequestBuilder {
    let content = Request {
        sender: &account.sender,
        message: &message.text,
        recipients: [Recipient { msisdn: msisdn(message) }],
        userref: &message.reference,
        validity_period: message.validity.as_secs().max(1),
        class: "secret",
    };
    let mut body = Zeroizing::new(Vec::with_capacity(BODY_CAPACITY));
    serde_json::to_writer(&mut *body, &content).expect("strings and numbers are JSON");
    // GatewayAPI takes the token as the user name, with an empty password.
    with_json(request.basic_auth(account.token.load().expose_secret(), Some("")), body)
}

/// Accepted is a message with a status of success *and* an id: a login page or an empty answer of a proxy is neither. Refused
/// for good is a message with status 400 or 422 and an error code, which only GatewayAPI writes. The reason has the status and
/// the code; the rest of the answer is left out, because it may repeat the number.
pub(super) fn read_answer(answer: &Answer) -> Result<Acceptance, SendFailure> {
    let body = answer.body.as_deref().unwrap_or_default();
    if answer.status.is_success() {
        let ids = serde_json::from_slice(body).map(|AcceptedAnswer { ids }| ids).unwrap_or_default();
        let id = ids.first().ok_or_else(|| answer.failure(FailureKind::Unknown, None))?;
        return Ok(Acceptance { gateway_reference: Some(id.to_string()) });
    }
    Err(read_refusal(answer))
}

/// The error object is the same in both of GatewayAPI's interfaces.
pub(super) fn read_refusal(answer: &Answer) -> SendFailure {
    let body = answer.body.as_deref().unwrap_or_default();
    let code = serde_json::from_slice(body).ok().map(|RefusedAnswer { code }| code).filter(|code| is_error_code(code));
    let kind = match answer.status.as_u16() {
        400 | 422 if code.is_some() => FailureKind::Message,
        _ => answer.classify_status(),
    };
    answer.failure(kind, code.as_deref())
}

/// Whether the text is `0x` and hexadecimal digits. Other texts are not logged, so that the gateway cannot write into our log.
fn is_error_code(code: &str) -> bool {
    code.len() <= MAX_CODE_LENGTH
        && code.strip_prefix("0x").is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

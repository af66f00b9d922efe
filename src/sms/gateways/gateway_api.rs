//! GatewayAPI (OnlineCity, Denmark), `POST /mobile/single`: <https://gatewayapi.com/docs/message/overview>.

use http::header::AUTHORIZATION;
use reqwest::RequestBuilder;
use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::gateway_api_legacy::{BODY_CAPACITY, read_refusal};
use super::http_client::{Answer, secret_header, with_json};
use super::{Account, is_reference, msisdn};
use crate::domain::dispatch::FailureKind;
use crate::sms::gateway::{Acceptance, OutgoingSms, SendFailure};

#[derive(Serialize)]
struct Request<'a> {
    sender: &'a str,
    message: &'a str,
    /// E.164 without `+`, as a number.
    recipient: u64,
    reference: &'a str,
    /// A duration of ISO 8601, which needs no agreement of clocks.
    expiration: String,
}

#[derive(Deserialize)]
struct AcceptedAnswer {
    msg_id: String,
}

pub(super) fn prepare(request: RequestBuilder, account: &Account, message: &OutgoingSms) -> RequestBuilder {
    let content = Request {
        sender: &account.sender,
        message: &message.text,
        recipient: msisdn(message).parse().unwrap_or_default(),
        reference: &message.reference,
        expiration: format!("PT{}S", message.validity.as_secs().max(1)),
    };
    let mut body = Zeroizing::new(Vec::with_capacity(BODY_CAPACITY));
    serde_json::to_writer(&mut *body, &content).expect("strings and numbers are JSON");
    let token = secret_header(&format!("Token {}", account.token.load().expose_secret()));
    with_json(request.header(AUTHORIZATION, token), body)
}

/// Accepted is a message with a status of success and an id.
pub(super) fn read_answer(answer: &Answer) -> Result<Acceptance, SendFailure> {
    if !answer.status.is_success() {
        return Err(read_refusal(answer));
    }
    let body = answer.body.as_deref().unwrap_or_default();
    let id = serde_json::from_slice(body).ok().map(|AcceptedAnswer { msg_id }| msg_id).filter(|id| is_reference(id));
    let id = id.ok_or_else(|| answer.failure(FailureKind::Unknown, None))?;
    Ok(Acceptance { gateway_reference: Some(id) })
}

//! Kannel's `sendsms` (1.4), by POST: <https://www.kannel.org/download/1.4.5/userguide-1.4.5/userguide.html>. Not by GET, because the
//! text would be in the URL, and so in access logs.

use bytes::Bytes;
use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderValue};
use reqwest::RequestBuilder;
use secrecy::ExposeSecret as _;
use zeroize::Zeroizing;

use super::Account;
use super::http_client::{Answer, secret_header};
use crate::domain::dispatch::FailureKind;
use crate::sms::gateway::{Acceptance, OutgoingSms, SendFailure};

/// The GSM 7-bit alphabet.
const CODING: &str = "0";

/// What Kannel answers when it keeps the message, with status 202: it sends it now, or when its SMSC is there again.
const ACCEPTED: [&[u8]; 2] = [b"0: Accepted for delivery", b"3: Queued for later delivery"];

pub(super) fn prepare(request: RequestBuilder, user: &str, account: &Account, message: &OutgoingSms) -> RequestBuilder {
    // In whole minutes, rounded down, so that no phone gets an expired PIN.
    let validity_minutes = (message.validity.as_secs() / 60).max(1);
    request
        .header("X-Kannel-Username", user)
        .header("X-Kannel-Password", secret_header(account.token.load().expose_secret()))
        .header("X-Kannel-From", account.sender.as_str())
        .header("X-Kannel-To", secret_header(message.recipient.e164()))
        .header("X-Kannel-Coding", CODING)
        .header("X-Kannel-Validity", validity_minutes)
        .header(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=UTF-8"))
        .body(Bytes::from_owner(Zeroizing::new(message.text.as_bytes().to_vec())))
}

/// Kannel gives no id. A receipt names our reference.
pub(super) fn read_answer(answer: &Answer) -> Result<Acceptance, SendFailure> {
    let body = answer.body.as_deref().unwrap_or_default().trim_ascii();
    if answer.status == StatusCode::ACCEPTED && ACCEPTED.contains(&body) {
        return Ok(Acceptance { gateway_reference: None });
    }
    let kind = if answer.status.is_success() { FailureKind::Unknown } else { answer.classify_status() };
    Err(answer.failure(kind, None))
}

//! Kannel's interface `sendsms` (user guide 1.4.5: <https://www.kannel.org/download/1.4.5/userguide-1.4.5/userguide.html>). It is
//! called by POST: with GET the text would be in the URL, and so in access logs.

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

/// Kannel's code for the GSM 7-bit alphabet.
const CODING: &str = "0";

/// The bodies, with status 202, by which Kannel accepts a message: delivered to the SMSC now, or queued until the SMSC can be
/// reached.
const ACCEPTED: [&[u8]; 2] = [b"0: Accepted for delivery", b"3: Queued for later delivery"];

pub(super) fn prepare(request: RequestBuilder, user: &str, account: &Account, message: &OutgoingSms) -> RequestBuilder {
    // Kannel takes whole minutes. Rounded down, so that no phone gets an expired PIN. At least one: a message with less than a
    // minute left would live too long, so `least_validity` should be 60 s or more.
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

/// Kannel's answer has no message id, and the request sends none.
pub(super) fn read_answer(answer: &Answer) -> Result<Acceptance, SendFailure> {
    let body = answer.body.as_deref().unwrap_or_default().trim_ascii();
    if answer.status == StatusCode::ACCEPTED && ACCEPTED.contains(&body) {
        return Ok(Acceptance { gateway_reference: None });
    }
    let kind = if answer.status.is_success() { FailureKind::Unknown } else { answer.classify_status() };
    Err(answer.failure(kind, None))
}

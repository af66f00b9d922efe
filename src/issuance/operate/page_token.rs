//! The token that leads from one page of audit events to the next.
//!
//! It is sealed, because an event's number reveals how many events there are of all persons. It is valid for one person.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::domain::person::PersonKey;
use crate::issuance::Refusal;
use crate::keys::KeyRing;

/// The token for the page that follows `event`.
pub(super) fn seal_page_token(keys: &KeyRing, event: i64, person: PersonKey) -> String {
    URL_SAFE_NO_PAD.encode(keys.seal(&seal_context(person), &event.to_be_bytes()))
}

/// The event that the page follows. `None` for an empty token: the first page.
pub(super) fn open_page_token(keys: &KeyRing, token: &str, person: PersonKey) -> Result<Option<i64>, Refusal> {
    if token.is_empty() {
        return Ok(None);
    }
    let sealed = URL_SAFE_NO_PAD.decode(token).ok();
    let event = sealed.and_then(|sealed| keys.open(&seal_context(person), &sealed).ok());
    let event = event.and_then(|event| Some(i64::from_be_bytes(event.as_slice().try_into().ok()?)));
    let malformed = || Refusal::field("page_token", "must be next_page_token of an answer about the same person");
    event.map(Some).ok_or_else(malformed)
}

fn seal_context(person: PersonKey) -> Vec<u8> {
    [b"audit page".as_slice(), &person.0].concat()
}

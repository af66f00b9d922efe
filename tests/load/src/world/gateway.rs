//! The SMS gateway: accepts every message, counts it, and remembers PINs for the load that redeems them.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::people::Person;

/// A gateway that speaks GatewayAPI's `POST /rest/mtsms`.
#[derive(Default)]
pub(crate) struct Gateway {
    accepted: AtomicU64,
    last: Mutex<Option<Instant>>,
    pins: Mutex<HashMap<u64, String>>,
}

/// What is read of a message.
#[derive(Deserialize)]
pub(super) struct Submission {
    message: String,
    recipients: Vec<Recipient>,
}

#[derive(Deserialize)]
struct Recipient {
    msisdn: Value,
}

impl Gateway {
    pub(super) fn submit(&self, submission: &Submission) -> Value {
        let id = self.accepted.fetch_add(1, Ordering::Relaxed);
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        for recipient in &submission.recipients {
            let digits = recipient.msisdn.to_string();
            let (person, pin) = (Person::by_mobile_number(digits.trim_matches('"')), pin(&submission.message));
            if let (Some(Person(index)), Some(pin)) = (person, pin) {
                self.pins.lock().unwrap_or_else(PoisonError::into_inner).insert(index, pin);
            }
        }
        json!({ "ids": [id], "usage": {} })
    }

    /// Messages accepted so far.
    pub(crate) fn accepted(&self) -> u64 {
        self.accepted.load(Ordering::Relaxed)
    }

    /// So many messages per second from then until the last message, unless none has come since.
    pub(crate) fn rate(&self, start: Instant, messages: u64) -> Option<f64> {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner).filter(|last| *last > start)?;
        Some(messages as f64 / last.duration_since(start).as_secs_f64())
    }

    /// The PIN on somebody's phone.
    pub(crate) fn take_pin(&self, person: Person) -> Option<String> {
        self.pins.lock().unwrap_or_else(PoisonError::into_inner).remove(&person.0)
    }

    /// Forgets all PINs.
    pub(crate) fn forget_pins(&self) {
        self.pins.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// Two groups of four digits.
fn pin(text: &str) -> Option<String> {
    let is_group = |word: &str| word.len() == 4 && word.bytes().all(|byte| byte.is_ascii_digit());
    let words: Vec<&str> = text.split(|letter: char| !letter.is_ascii_digit()).collect();
    words.windows(2).find(|pair| pair.iter().all(|word| is_group(word))).map(<[&str]>::concat)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pin_is_found_in_the_text() {
        assert_eq!(pin("Din midlertidige PIN-kode er 0123 4567. Den udløber kl. 14.32."), Some("01234567".into()));
        assert_eq!(pin("Ring +45 33 98 00 10"), None);
    }
}

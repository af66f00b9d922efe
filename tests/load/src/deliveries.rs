//! The messages that the gateway accepted: their number, and the PINs of the calls that redeem them.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use made_up_world::gateway::{Inbox, Message};
use made_up_world::indexed_people::IndexedPerson;
use tokio::time::Instant;

#[derive(Default)]
pub(crate) struct Deliveries {
    count: AtomicU64,
    last_time: Mutex<Option<Instant>>,
    /// The newest PIN of each person, by index.
    pins: Mutex<HashMap<u64, String>>,
}

impl Inbox for Deliveries {
    fn receive(&self, number: String, message: Message) {
        self.count.fetch_add(1, Ordering::Relaxed);
        *lock(&self.last_time) = Some(Instant::now());
        let person = IndexedPerson::by_mobile_number(&number);
        if let (Some(IndexedPerson(index)), Some(pin)) = (person, find_pin(&message.text)) {
            lock(&self.pins).insert(index, pin);
        }
    }
}

impl Deliveries {
    /// Messages accepted so far.
    pub(crate) fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    /// The rate of `messages` messages from `start` to the last message. `None` if none has come since.
    pub(crate) fn per_second(&self, start: Instant, messages: u64) -> Option<f64> {
        let last = lock(&self.last_time).filter(|last| *last > start)?;
        Some(messages as f64 / last.duration_since(start).as_secs_f64())
    }

    /// Removes and gives the PIN that was sent to a person.
    pub(crate) fn take_pin(&self, person: IndexedPerson) -> Option<String> {
        lock(&self.pins).remove(&person.0)
    }

    pub(crate) fn forget_pins(&self) {
        lock(&self.pins).clear();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The PIN in a text: two groups of four digits.
fn find_pin(text: &str) -> Option<String> {
    let is_group = |word: &str| word.len() == 4 && word.bytes().all(|byte| byte.is_ascii_digit());
    let words: Vec<&str> = text.split(|letter: char| !letter.is_ascii_digit()).collect();
    words.windows(2).find(|pair| pair.iter().all(|word| is_group(word))).map(<[&str]>::concat)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pin_is_found_in_the_text() {
        let text = "Din midlertidige PIN-kode er 0123 4567. Den udløber kl. 14.32.";
        assert_eq!(find_pin(text), Some("01234567".into()));
        assert_eq!(find_pin("Ring +45 33 98 00 10"), None);
    }
}

//! The phones of the made-up world and what they received.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, Utc};
use serde::Serialize;

/// A phone remembers this many messages, so that a long load test fills no memory.
const KEPT: usize = 200;

/// One SMS as it landed.
#[derive(Clone, Serialize)]
pub struct Message {
    pub time: DateTime<Utc>,
    pub sender: String,
    pub text: String,
    /// The service's own message id, as the gateway was given it.
    pub reference: Option<String>,
    /// For how long the gateway may try to deliver it.
    pub validity_seconds: Option<u64>,
}

/// All inboxes, by number in E.164 form.
#[derive(Default)]
pub struct Phones(Mutex<BTreeMap<String, VecDeque<Message>>>);

impl Phones {
    /// A message lands on a phone.
    pub fn receive(&self, number: String, message: Message) {
        let mut phones = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let inbox = phones.entry(number).or_default();
        if inbox.len() == KEPT {
            inbox.pop_front();
        }
        inbox.push_back(message);
    }

    /// What a phone received, oldest first.
    pub fn messages(&self, number: &str) -> Vec<Message> {
        let phones = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        phones.get(number).into_iter().flatten().cloned().collect()
    }

    /// Every message of every phone, the latest first.
    pub fn latest(&self, count: usize) -> Vec<(String, Message)> {
        let phones = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut all: Vec<_> = phones
            .iter()
            .flat_map(|(number, inbox)| inbox.iter().map(|message| (number.clone(), message.clone())))
            .collect();
        all.sort_by_key(|(_, message)| std::cmp::Reverse(message.time));
        all.truncate(count);
        all
    }
}

//! The phones of the made-up world, and the messages that they received.

use std::cmp::Reverse;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::gateway::{Inbox, Message};

/// How many messages are kept of each phone. Older ones are dropped, so that a long load test does not fill the memory.
const MAX_MESSAGES_PER_PHONE: usize = 200;

/// The messages of all phones, by number in E.164 form.
#[derive(Default)]
pub struct Phones(Mutex<BTreeMap<String, VecDeque<Message>>>);

impl Phones {
    /// The messages of a phone, oldest first.
    #[must_use]
    pub fn messages(&self, number: &str) -> Vec<Message> {
        self.lock().get(number).into_iter().flatten().cloned().collect()
    }

    /// The newest messages of all phones, newest first.
    #[must_use]
    pub fn newest(&self, count: usize) -> Vec<(String, Message)> {
        let phones = self.lock();
        let mut all: Vec<_> = phones
            .iter()
            .flat_map(|(number, messages)| messages.iter().map(|message| (number.clone(), message.clone())))
            .collect();
        all.sort_by_key(|(_, message)| Reverse(message.time));
        all.truncate(count);
        all
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, VecDeque<Message>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inbox for Phones {
    fn receive(&self, number: String, message: Message) {
        let mut phones = self.lock();
        let messages = phones.entry(number).or_default();
        if messages.len() == MAX_MESSAGES_PER_PHONE {
            messages.pop_front();
        }
        messages.push_back(message);
    }
}

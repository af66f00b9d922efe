//! The list of problems that the checks fill.

use std::fmt::Display;
use std::time::Duration;

/// The problems found so far.
#[derive(Default)]
pub(super) struct Problems(Vec<String>);

impl Problems {
    /// Adds a problem of `key`. `problem` says what is wrong and what a valid value is.
    pub(super) fn add(&mut self, key: &str, problem: impl Display) {
        self.0.push(format!("{key}: {problem}"));
    }

    /// Adds a problem unless `is_valid`.
    pub(super) fn add_unless(&mut self, is_valid: bool, key: &str, problem: impl Display) {
        if !is_valid {
            self.add(key, problem);
        }
    }

    /// Adds a problem if the duration is zero.
    pub(super) fn require_positive(&mut self, key: &str, duration: Duration) {
        self.add_unless(duration > Duration::ZERO, key, "must be longer than nothing");
    }

    /// Adds a problem if the number is zero.
    pub(super) fn require_at_least_one(&mut self, key: &str, number: impl TryInto<u64>) {
        self.add_unless(number.try_into().is_ok_and(|number| number >= 1), key, "must be at least 1");
    }

    pub(super) fn into_messages(self) -> Vec<String> {
        self.0
    }
}

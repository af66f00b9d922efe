//! What must hold beyond types and between settings. Every problem is found at once, and each names its key, what is
//! wrong and what would be right.

use std::fmt::Display;
use std::time::Duration;

use super::{Config, check_access, check_parts, check_rules};

/// Everything that is wrong.
pub(super) fn problems(config: &Config) -> Vec<String> {
    let mut problems = Problems::default();
    check_access::check(config, &mut problems);
    check_parts::check(config, &mut problems);
    check_rules::check(config, &mut problems);
    problems.0
}

/// The problems found so far.
#[derive(Default)]
pub(super) struct Problems(Vec<String>);

impl Problems {
    /// Notes a problem with `key`: what is wrong, and what would be right.
    pub(super) fn note(&mut self, key: &str, problem: impl Display) {
        self.0.push(format!("{key}: {problem}"));
    }

    /// Notes it unless it is `fine`.
    pub(super) fn unless(&mut self, fine: bool, key: &str, problem: impl Display) {
        if !fine {
            self.note(key, problem);
        }
    }

    /// Notes a span of no length.
    pub(super) fn unless_positive(&mut self, key: &str, span: Duration) {
        self.unless(span > Duration::ZERO, key, "must be longer than nothing");
    }

    /// Notes a number that is zero.
    pub(super) fn unless_at_least_one(&mut self, key: &str, number: impl TryInto<u64>) {
        self.unless(number.try_into().is_ok_and(|number| number >= 1), key, "must be at least 1");
    }
}

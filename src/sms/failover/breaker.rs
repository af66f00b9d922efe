//! R29: keeps messages away from a gateway that does not take them, and lets one through from time to time.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};

/// Failures in a row that open a breaker.
const MAX_FAILURES: u32 = 3;

/// For how long an open breaker lets no message through. Doubles with each message that fails then, up to the longest.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// The breaker of one gateway. Closed: every message passes. Open: none, until the pause is over. Then one message at a time.
#[derive(Default)]
pub(super) struct Breaker(Mutex<State>);

#[derive(Default)]
struct State {
    /// Failures since the last success.
    failures: u32,
    pause: Option<Pause>,
    /// Whether a message has been let through to see whether the gateway takes it.
    is_trying: bool,
}

#[derive(Clone, Copy)]
struct Pause {
    start: DateTime<Utc>,
    length: Duration,
}

impl Pause {
    /// Over as well if the clock has been set back since, so that no such step closes a gateway for long.
    fn is_over(self, now: DateTime<Utc>) -> bool {
        now < self.start || now >= self.start + self.length
    }
}

/// A message may be handed over. Dropped without [`Pass::record`], it changes nothing.
pub(super) struct Pass<'a> {
    breaker: &'a Breaker,
    is_try: bool,
}

/// How the hand-over went, as far as the gateway is concerned.
#[derive(Clone, Copy)]
pub(super) enum Health {
    /// It has answered as it should.
    Well,
    /// It has not, and asks for this pause, if any.
    Failing { retry_after: Option<Duration> },
}

impl Breaker {
    /// `None`: no message may pass now.
    pub(super) fn pass(&self, now: DateTime<Utc>) -> Option<Pass<'_>> {
        let mut state = self.lock();
        let Some(pause) = state.pause else { return Some(Pass { breaker: self, is_try: false }) };
        if state.is_trying || !pause.is_over(now) {
            return None;
        }
        state.is_trying = true;
        Some(Pass { breaker: self, is_try: true })
    }

    /// When a message may pass again; `None` if it may now, or when the message that is under way has its answer.
    pub(super) fn pause_end(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let pause = self.lock().pause.filter(|pause| !pause.is_over(now))?;
        Some(pause.start + pause.length)
    }

    pub(super) fn is_open(&self) -> bool {
        self.lock().pause.is_some()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pass<'_> {
    pub(super) fn record(self, now: DateTime<Utc>, health: Health) {
        let mut state = self.breaker.lock();
        match health {
            // A message that was let through before the breaker opened says nothing about the gateway now.
            Health::Well if state.pause.is_some() && !self.is_try => {}
            Health::Well => {
                state.failures = 0;
                state.pause = None;
            }
            Health::Failing { retry_after } => {
                state.failures = state.failures.saturating_add(1);
                let is_first_pause = state.pause.is_none();
                if retry_after.is_some() || (is_first_pause && state.failures >= MAX_FAILURES) || self.is_try {
                    let doubled = state.pause.map_or(FIRST_PAUSE, |pause| (pause.length * 2).min(LONGEST_PAUSE));
                    state.pause = Some(Pause { start: now, length: doubled.max(retry_after.unwrap_or_default()) });
                }
            }
        }
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        if self.is_try {
            self.breaker.lock().is_trying = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAILING: Health = Health::Failing { retry_after: None };

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_795_524_000 + seconds, 0).unwrap()
    }

    /// Lets a message through that goes like this.
    fn send(breaker: &Breaker, seconds: i64, health: Health) {
        breaker.pass(at(seconds)).expect("a pass").record(at(seconds), health);
    }

    fn open_breaker() -> Breaker {
        let breaker = Breaker::default();
        for _ in 0..3 {
            send(&breaker, 0, FAILING);
        }
        breaker
    }

    #[test]
    fn r29_three_failures_in_a_row_open_the_breaker() {
        let breaker = Breaker::default();
        for health in [FAILING, FAILING, Health::Well, FAILING, FAILING] {
            send(&breaker, 0, health);
        }
        assert!(!breaker.is_open());
        send(&breaker, 0, FAILING);
        assert!(breaker.is_open() && breaker.pass(at(0)).is_none());
        assert_eq!(breaker.pause_end(at(0)), Some(at(1)));
    }

    #[test]
    fn r29_after_the_pause_one_message_at_a_time_passes_until_one_succeeds() {
        let breaker = open_breaker();
        let first = breaker.pass(at(1)).expect("the pause is over");
        assert!(breaker.pass(at(1)).is_none(), "one at a time");
        first.record(at(1), FAILING);
        assert!(breaker.pass(at(2)).is_none(), "the pause has doubled");
        drop(breaker.pass(at(3)).expect("the second pause is over"));
        send(&breaker, 3, Health::Well);
        assert!(!breaker.is_open());
        assert!(breaker.pass(at(3)).is_some() && breaker.pass(at(3)).is_some());
    }

    #[test]
    fn r29_the_pause_grows_up_to_its_limit() {
        let breaker = open_breaker();
        let mut now = 1;
        for length in [2, 4, 8, 10, 10] {
            send(&breaker, now, FAILING);
            assert_eq!(breaker.pause_end(at(now)), Some(at(now + length)));
            now += length;
        }
    }

    #[test]
    fn r29_one_answer_with_retry_after_opens_the_breaker_for_that_time() {
        let breaker = Breaker::default();
        send(&breaker, 0, Health::Failing { retry_after: Some(Duration::from_secs(30)) });
        assert!(breaker.pass(at(29)).is_none() && breaker.pass(at(30)).is_some());
    }

    /// It was let through before the breaker opened.
    #[test]
    fn r29_a_late_success_does_not_close_an_open_breaker() {
        let breaker = Breaker::default();
        let early = breaker.pass(at(0)).unwrap();
        for _ in 0..3 {
            send(&breaker, 0, FAILING);
        }
        early.record(at(0), Health::Well);
        assert!(breaker.is_open());
    }

    #[test]
    fn a_clock_that_is_set_back_ends_the_pause() {
        let breaker = open_breaker();
        assert!(breaker.pass(at(-3600)).is_some());
    }
}

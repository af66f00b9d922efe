//! The only source of time. It is read once per request or work cycle and passed on as `now`.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

/// How far the clock of this machine may be from that of Postgres, which all instances share. PINs live for ten minutes, and the
/// audit tolerates as much.
const MAX_CLOCK_DIFFERENCE: TimeDelta = TimeDelta::minutes(1);

/// Whether a clock that showed `other` between `asked` and `answered` of this machine's clock agrees with it.
#[must_use]
pub fn agrees(other: DateTime<Utc>, asked: DateTime<Utc>, answered: DateTime<Utc>) -> bool {
    (asked - MAX_CLOCK_DIFFERENCE..=answered + MAX_CLOCK_DIFFERENCE).contains(&other)
}

/// A clock.
pub trait Clock: Send + Sync + 'static {
    /// The current time, in microseconds, which is the precision of Postgres.
    fn now(&self) -> DateTime<Utc>;
}

/// The clock of the machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the only place that reads the system clock")]
    fn now(&self) -> DateTime<Utc> {
        to_micros(Utc::now())
    }
}

/// The clock of the machine plus a shift: for tests and the sandbox, which skip 24 hours at once. Clones share the shift.
#[derive(Clone, Debug, Default)]
pub struct ShiftedClock {
    shift: Arc<Mutex<Duration>>,
}

impl ShiftedClock {
    /// Moves the time forward. It cannot be moved back.
    pub fn advance(&self, by: Duration) {
        *self.shift.lock().unwrap_or_else(PoisonError::into_inner) += by;
    }
}

impl Clock for ShiftedClock {
    fn now(&self) -> DateTime<Utc> {
        to_micros(SystemClock.now() + *self.shift.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Cuts the time to whole microseconds.
fn to_micros(time: DateTime<Utc>) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(time.timestamp_micros()).unwrap_or(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_has_the_precision_of_postgres() {
        let time = DateTime::from_timestamp(1_795_000_000, 123_456_789).unwrap();
        assert_eq!(to_micros(time), DateTime::from_timestamp(1_795_000_000, 123_456_000).unwrap());
        assert_eq!(SystemClock.now().timestamp_subsec_nanos() % 1000, 0);
    }

    #[test]
    fn clones_of_a_shifted_clock_move_together_and_only_forward() {
        let clock = ShiftedClock::default();
        let clone = clock.clone();
        let before = SystemClock.now();
        clock.advance(Duration::from_secs(24 * 3600));
        clock.advance(Duration::from_secs(1) + Duration::from_nanos(1));
        assert_eq!(clone.now().timestamp_subsec_nanos() % 1000, 0);
        let shifted = clone.now() - before;
        assert!(shifted >= chrono::TimeDelta::seconds(24 * 3600 + 1), "{shifted}");
        assert!(shifted < chrono::TimeDelta::seconds(24 * 3600 + 601), "{shifted}");
    }
}

//! Settings of the dispatcher.

use std::time::Duration;

use rand::{Rng, RngExt as _};
use serde::Deserialize;

/// How messages are handed over to the gateway.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DispatcherSettings {
    /// How long a message belongs to the dispatcher that claimed it. If that instance crashes, another one sends the message
    /// after this time, unless it is a PIN whose hand-over has begun. Must be longer than the time-out of the gateway plus
    /// the difference between the clocks of the instances.
    #[serde(with = "humantime_serde")]
    pub lease: Duration,
    /// Maximum number of concurrent hand-overs of one instance. As many new messages may wait for theirs. Bounds the messages
    /// per second: 512 hand-overs of 100 ms are at most 5,120 a second.
    pub concurrency: usize,
    /// How often the dispatcher looks for due messages without being woken: retries, notices that become due, and messages of
    /// crashed instances.
    #[serde(with = "humantime_serde")]
    pub poll_interval: Duration,
    /// The delay after the first failed hand-over. Each further failure doubles it.
    #[serde(with = "humantime_serde")]
    pub retry_delay: Duration,
    /// The longest delay between two hand-overs of a message.
    #[serde(with = "humantime_serde")]
    pub retry_delay_limit: Duration,
}

impl Default for DispatcherSettings {
    fn default() -> Self {
        Self {
            lease: Duration::from_secs(60),
            concurrency: 512,
            poll_interval: Duration::from_secs(1),
            retry_delay: Duration::from_secs(1),
            retry_delay_limit: Duration::from_secs(30),
        }
    }
}

impl DispatcherSettings {
    /// The delay before the next hand-over, after `attempts` failures before the current one. It is random between half of the
    /// delay and the whole, so that messages that failed together are not retried together.
    pub(crate) fn draw_retry_delay(&self, attempts: u32, rng: &mut impl Rng) -> Duration {
        let doubled = self.retry_delay.saturating_mul(2_u32.saturating_pow(attempts));
        doubled.min(self.retry_delay_limit).mul_f64(rng.random_range(0.5..=1.0))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::random;

    proptest! {
        #[test]
        fn the_delay_doubles_up_to_its_limit(attempts: u32) {
            let settings = DispatcherSettings::default();
            let full = match attempts {
                0..=4 => Duration::from_secs(1 << attempts),
                _ => Duration::from_secs(30),
            };
            let delay = settings.draw_retry_delay(attempts, &mut random::secure());
            prop_assert!(full / 2 <= delay && delay <= full, "{:?}", delay);
        }
    }

    #[test]
    fn delays_differ() {
        let settings = DispatcherSettings::default();
        assert_ne!(
            settings.draw_retry_delay(9, &mut random::secure()),
            settings.draw_retry_delay(9, &mut random::secure())
        );
    }
}

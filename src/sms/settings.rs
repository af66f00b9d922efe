//! Settings of the dispatcher.

use std::time::Duration;

use rand::{Rng, RngExt as _};
use serde::Deserialize;

/// How messages are dispatched.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DispatcherSettings {
    /// How long a message belongs to the dispatcher that claimed it. After a crash it goes out this much later, unless it
    /// is a PIN whose hand-over had begun. Must be longer than the gateway's time-out, with room for the instances'
    /// clocks to differ.
    #[serde(with = "humantime_serde")]
    pub lease: Duration,
    /// Hand-overs at once, of this instance.
    pub concurrency: usize,
    /// How often to look for messages that nobody woke the dispatcher for: retries, notices that fall due, messages of
    /// instances that went down.
    #[serde(with = "humantime_serde")]
    pub poll_interval: Duration,
    /// Wait after the first failed hand-over. Each further one doubles it.
    #[serde(with = "humantime_serde")]
    pub retry_delay: Duration,
    /// Longest wait between two hand-overs.
    #[serde(with = "humantime_serde")]
    pub retry_delay_limit: Duration,
}

impl Default for DispatcherSettings {
    fn default() -> Self {
        Self {
            lease: Duration::from_secs(60),
            concurrency: 64,
            poll_interval: Duration::from_secs(1),
            retry_delay: Duration::from_secs(1),
            retry_delay_limit: Duration::from_secs(30),
        }
    }
}

impl DispatcherSettings {
    /// How long to wait when `attempts` hand-overs have failed before this one. Between half of the delay and all of
    /// it, so that what failed together does not come back together.
    pub(crate) fn delay(&self, attempts: u32, rng: &mut impl Rng) -> Duration {
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
            let delay = settings.delay(attempts, &mut random::secure());
            prop_assert!(full / 2 <= delay && delay <= full, "{:?}", delay);
        }
    }

    #[test]
    fn delays_differ() {
        let settings = DispatcherSettings::default();
        assert_ne!(settings.delay(9, &mut random::secure()), settings.delay(9, &mut random::secure()));
    }
}

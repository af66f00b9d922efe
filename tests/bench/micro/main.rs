//! Measures the hot parts of our own code one by one, so that a regression is found where it is. docs/performance.md has the
//! figures.

#![allow(clippy::unwrap_used, reason = "a failed unwrap ends the measurement")]

mod audit;
mod identity;
mod keys;
mod mobile;
mod sms;

use std::time::Duration;

use criterion::Criterion;
use temporary_pin::keys::KeyRing;
use temporary_pin::random;

fn main() {
    // Short times are enough for microseconds. The command line can override them.
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .configure_from_args();
    for benchmarks in [mobile::measure, keys::measure, sms::measure, identity::measure, audit::measure] {
        benchmarks(&mut criterion);
    }
    criterion.final_summary();
}

/// A key ring as `temporary-pin keys generate` makes it.
fn key_ring() -> KeyRing {
    KeyRing::parse(&temporary_pin::keys::generate(&mut random::secure())).unwrap()
}

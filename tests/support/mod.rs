//! What several test crates need.

#![allow(dead_code, reason = "each test crate uses a part of this")]

pub(crate) mod fault_proxy;

use rand::RngExt as _;
use temporary_pin::random;

/// The Redis to test with. Tests share it: keep to a key prefix of your own, see [`unique`].
pub(crate) fn redis_url() -> String {
    std::env::var("REDIS_URL").expect("REDIS_URL must name a Redis for the tests, such as redis://127.0.0.1:6379")
}

/// A name that no other test has.
pub(crate) fn unique(what: &str) -> String {
    format!("{what}-{:016x}", random::secure().random::<u64>())
}

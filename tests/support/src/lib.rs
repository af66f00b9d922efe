//! What several test crates need.

#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

pub mod acts;
pub mod calls;
pub mod collector;
pub mod fault_proxy;
pub mod installation;
pub mod log;
pub mod operator;
pub mod person;
pub mod process;
pub mod programs;
pub mod raw;
pub mod sandbox;
pub mod store;
pub mod world;

use rand::RngExt as _;
use temporary_pin::random;

/// The Redis to test with. Tests share it: keep to a key prefix of your own, see [`unique`].
pub fn redis_url() -> String {
    std::env::var("REDIS_URL").expect("REDIS_URL must name a Redis for the tests, such as redis://127.0.0.1:6379")
}

/// A name that no other test has.
pub fn unique(what: &str) -> String {
    format!("{what}-{:016x}", random::secure().random::<u64>())
}

//! Code that several test crates share.

#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

pub mod acts;
pub mod callers;
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

/// The URL of the Postgres server for tests, as a superuser.
pub fn database_server_url() -> String {
    std::env::var("DATABASE_URL").expect("DATABASE_URL must name a Postgres for the tests; deploy/local/test sets it")
}

/// The URL of the Redis server for tests. All tests share it, so each uses a [`unique`] key prefix.
pub fn redis_url() -> String {
    std::env::var("REDIS_URL").expect("REDIS_URL must name a Redis for the tests, such as redis://127.0.0.1:6379")
}

/// Makes a name that no other test has.
pub fn unique(prefix: &str) -> String {
    format!("{prefix}-{:016x}", random::secure().random::<u64>())
}

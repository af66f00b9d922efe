//! Tests of the guard against a real Redis (`REDIS_URL`).

#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod batching;
mod cluster;
mod fault;
mod fixture;
mod hold;
mod keys;
mod model;
mod rate;
mod several_buckets;
mod window;

//! The guard on a real Redis (`REDIS_URL`).

#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod cluster;
mod fault;
mod hold;
mod keys;
mod model;
mod rate;
mod same_moment;
mod several;
mod window;
mod world;

//! Tests of every rule over gRPC: our generated client calls a sandbox process, which is the real service with the real
//! Postgres and Redis. Each test has its own sandbox, so it may move the clock and wipe Redis.

#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod cast;
mod changed_persons;
mod counter;
mod dump;
mod dump_trials;
mod edge;
mod every_reason;
mod failed_verifications;
mod issue;
mod languages;
mod limits;
mod logins;
mod malformed;
mod needles;
mod no_oracle;
mod operator_acts;
mod operator_blocks;
mod operator_limits;
mod operator_look_ups;
mod phone;
mod redeem;
mod secrecy;
mod stopping;
mod web;
mod witnesses;

//! The audit's seals: what they cover, and that nothing behind them can be changed unnoticed. Needs `DATABASE_URL`.

#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

#[path = "../store/support.rs"]
#[allow(dead_code, reason = "the tests of the store need more of it")]
mod support;
mod world;

mod purge;
mod sealing;
mod tampering;

//! The audit's seals: what they cover, and that nothing behind them can be changed unnoticed. Needs `DATABASE_URL`.

#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

mod world;

mod purge;
mod sealing;
mod tampering;

//! The seals of the audit: which events they cover, and that every change of sealed rows is detected. Needs `DATABASE_URL`.

#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

mod world;

mod purge;
mod sealing;
mod tampering;

//! The seals of the audit: which events they cover, and that every change of sealed rows is detected. Needs `DATABASE_URL`.

#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod world;

mod purge;
mod random_rows;
mod sealing;
mod tampering;

//! The sandbox as other teams' tests use it: a process, asked over HTTP.

#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

mod certificates;
mod logins;
mod phones;
mod world;

//! The sandbox as tests of frontends use it: a process with an HTTP interface.

#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

mod certificates;
mod logins;
mod phones;
mod world;

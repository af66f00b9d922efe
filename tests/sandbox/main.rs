//! The sandbox as tests of frontends use it: a process with an HTTP interface.

#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod certificates;
mod logins;
mod phones;
mod world;

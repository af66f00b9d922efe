//! A rolling upgrade: the newest release and the present version serve together, on one database, Redis and key ring, after
//! the present version's migrations have run. `deploy/local/compatibility` builds the release and runs these tests.

#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

mod release;
mod upgrade;

mod identities;
mod limits;
mod messages;
mod operators;

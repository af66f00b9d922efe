//! A rolling upgrade: the newest release and the present version run at the same time, on the same database and Redis, after
//! the present version's migrations. `deploy/local/compatibility` builds the release and runs these tests.

#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod release;
mod upgrade;

mod identities;
mod limits;
mod messages;
mod operators;

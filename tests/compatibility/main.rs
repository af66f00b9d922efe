//! A rolling upgrade: the newest release and the present version serve together, on one database, Redis and key ring, after
//! the present version's migrations have run. `deploy/local/compatibility` builds the release and runs these tests.

#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

#[path = "../flows/acts.rs"]
#[allow(dead_code, reason = "the flows need more of it")]
mod acts;
#[path = "../support/authority.rs"]
mod authority;
#[path = "../flows/calls.rs"]
#[allow(dead_code, reason = "the flows need more of it")]
mod calls;
#[path = "../support/installation.rs"]
mod installation;
#[path = "../flows/operator.rs"]
#[allow(dead_code, reason = "the flows need more of it")]
mod operator;
#[path = "../flows/person.rs"]
#[allow(dead_code, reason = "the flows need more of it")]
mod person;
#[path = "../support/process.rs"]
mod process;
#[path = "../support/sandbox.rs"]
mod sandbox;
#[path = "../support/mod.rs"]
mod support;
#[path = "../flows/world.rs"]
#[allow(dead_code, reason = "the flows need more of it")]
mod world;

mod release;
mod upgrade;

mod identities;
mod limits;
mod messages;
mod operators;

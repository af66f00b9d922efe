//! What breaks around the service, and what it must do then (R26): Redis, Postgres, the identity register, the SMS
//! gateway, callers that go away, and the process itself. Each test has a sandbox of its own.

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

mod faulty;
mod inside;
mod raw;

mod crash;
mod cuts;
mod deadlines;
mod every_await;
mod gateway;
mod going_away;
mod operators;
mod outages;
mod overload;

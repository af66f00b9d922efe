//! The real binary over mutual TLS, configured as an operator would: who may call what, how it ends, what it tells
//! OpenTelemetry, and one story from the login to the redemption.

#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

#[path = "../flows/acts.rs"]
#[allow(dead_code, reason = "the flows need more of it")]
mod acts;
#[path = "../support/authority.rs"]
mod authority;
#[path = "../flows/calls.rs"]
#[allow(dead_code, reason = "the flows need more of it")]
mod calls;
#[path = "../../src/telemetry/tests/collector.rs"]
#[allow(dead_code, reason = "the tests of telemetry need more of it")]
mod collector;
#[path = "../support/installation.rs"]
mod installation;
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

mod audit;
mod connections;
mod deadline;
mod ending;
mod handshake;
mod keys;
mod matrix;
mod reload;
mod roles;
mod story;
mod telemetry;
mod wire;

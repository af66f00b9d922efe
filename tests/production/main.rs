//! The real binary over mutual TLS, configured as an operator would: who may call what, how it ends, what it tells
//! OpenTelemetry, and one story from the login to the redemption.

#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

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

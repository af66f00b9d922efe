//! Tests of the production binary over mutual TLS, configured as an operator would: callers and roles, connections,
//! reloads, shutdown, telemetry, audit commands, and one run from login to redemption.

#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod audit;
mod connections;
mod deadline;
mod handshake;
mod http2_client;
mod keys;
mod reload;
mod role_matrix;
mod roles;
mod shutdown;
mod telemetry;
mod web_from_login_to_redemption;

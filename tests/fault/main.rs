//! Faults around the service, and what the service must do then (R26): outages of Redis, Postgres, the identity register
//! and the SMS gateway, callers that disconnect, overload, and a killed process. Each test has a sandbox of its own.

#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod faulty_sandbox;
mod in_process;

mod crash;
mod cuts;
mod deadlines;
mod disconnects;
mod every_await;
mod gateway;
mod operators;
mod outages;
mod overload;

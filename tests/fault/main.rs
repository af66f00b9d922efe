//! What breaks around the service, and what it must do then (R26): Redis, Postgres, the identity register, the SMS
//! gateway, callers that go away, and the process itself. Each test has a sandbox of its own.

#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

mod faulty;
mod inside;

mod crash;
mod cuts;
mod deadlines;
mod every_await;
mod gateway;
mod going_away;
mod operators;
mod outages;
mod overload;

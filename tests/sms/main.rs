//! SMS, from the outbox to the gateway. Needs `DATABASE_URL`.

#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod answers;
mod backoff;
mod counts;
mod crash;
mod dispatch;
mod failover;
mod fake_server;
mod gateways;
mod race;
mod running;
mod world;

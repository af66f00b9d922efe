//! SMS, from the outbox to the gateway's door. Needs `DATABASE_URL`.

mod backoff;
mod crash;
mod dispatch;
mod gateway_api;
mod race;
mod running;
mod world;

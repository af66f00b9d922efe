//! SMS, from the outbox to the gateway's door.

mod gateway_api;

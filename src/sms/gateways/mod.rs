//! SMS gateways that implement [`super::gateway::Gateway`]: one file each.

pub mod gateway_api;

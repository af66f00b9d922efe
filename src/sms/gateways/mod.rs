//! SMS gateways that implement [`super::gateway::Gateway`]: one file each.

pub mod gateway_api;
mod http_client;

pub use http_client::CallLimits;

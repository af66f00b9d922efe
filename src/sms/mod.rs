//! SMS: gateway, dispatcher.

pub mod dispatcher;
pub mod gateway;
pub mod gateway_api;
#[cfg(test)]
pub(crate) mod gsm7;
pub mod sealed;
pub mod settings;

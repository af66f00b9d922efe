//! SMS: gateway, dispatcher.

pub mod dispatcher;
pub mod gateway;
pub mod gateways;
#[cfg(test)]
pub(crate) mod gsm7;
pub mod sealed_message;
pub mod settings;

//! Sends SMS: the dispatcher takes sealed messages from the outbox and hands them over to a gateway.

pub mod dispatcher;
pub mod failover;
pub mod gateway;
pub mod gateways;
pub mod sealed_message;
pub mod settings;

//! SMS: the outbox, and how its messages are handed over to the gateway.

pub mod handovers;
pub mod local_handovers;
pub mod outbox;

mod message;

pub use message::{ClaimedMessage, MessageKind, Notice};

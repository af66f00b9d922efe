//! SMS: the outbox, and the hand-over of its messages to the gateway.

pub mod handovers;
pub mod outbox;

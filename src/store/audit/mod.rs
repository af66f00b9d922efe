//! The audit: its events, the seals over them, and up to which id the events are complete.

pub mod audit_events;
pub mod audit_horizon;
pub mod audit_seals;
pub mod sealed_events;

//! The audit: its events, its seals, and up to which event it is complete.

pub mod audit_events;
pub mod audit_horizon;
pub mod audit_seals;

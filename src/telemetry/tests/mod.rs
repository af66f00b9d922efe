//! Tests of what the service writes to its log and sends to a collector.

mod export;
pub(crate) mod logs;

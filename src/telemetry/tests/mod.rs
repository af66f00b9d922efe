//! What comes out: on stderr, and at a collector.

mod collector;
mod export;
pub(crate) mod logs;

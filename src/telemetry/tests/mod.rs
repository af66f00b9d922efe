//! What comes out: on stderr, and at a collector.

mod export;
pub(crate) mod logs;

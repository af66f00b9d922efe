//! What operators do and see: blocks, limits, and the records of a person (R9).

pub mod access_request_records;
pub mod person_blocks;
pub mod person_limits;
pub mod pin_request_records;

//! What operators do and see (R9): blocks, resets of limits, and the PIN requests and access requests of a person.

pub mod access_request_records;
pub mod person_blocks;
pub mod person_limits;
pub mod pin_request_records;

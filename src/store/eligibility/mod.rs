//! CheckEligibility: what is on record about a person.

mod person_status;

pub use person_status::{PersonQuery, PersonStatus, PersonStatusReader};

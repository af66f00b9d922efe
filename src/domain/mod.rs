//! The product's rules (R1–R24) as pure functions and types.
//!
//! Nothing here does I/O, and nothing takes time or randomness from the air: `now` and the random source are
//! arguments. Nothing here imports another module of this crate.

pub mod answer;
pub mod assurance;
pub mod audit;
pub mod calendar;
pub mod channel;
pub mod cpr;
pub mod document;
pub mod eligibility;
pub mod fact;
pub mod hold;
pub mod language;
pub mod mobile;
pub mod mrz;
pub mod person;
pub mod person_limit;
pub mod pin;
pub mod question;
pub mod reason;
pub mod rules;
pub mod stated_reason;
pub mod witness;

#[cfg(test)]
mod fixture;

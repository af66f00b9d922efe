//! Postgres, which holds the truth. One folder per concept, SQL visible, each SQL file beside the Rust file that runs it.
//!
//! SQL checks guards and counts, and has no rules of its own: limits, times, ids and results are arguments. Persons, mobile
//! numbers and agents appear as pseudonyms only.

pub mod audit;
pub mod eligibility;
pub mod holds;
pub mod issuing;
pub mod locks;
pub mod messages;
pub mod operators;
pub mod redeeming;
pub mod upkeep;
pub mod verifying;
pub mod withdrawal;

mod connections;
mod parameters;

pub(crate) use connections::{close, describe_foreign, open_for_maintenance};

pub use connections::{
    Failure, HealthProbe, InstanceKeys, MAX_STATEMENT_TIMEOUT, PLANNER_SETTINGS, PoolSettings, Readiness, StoreError,
    check_keys, compare_keys, connect, connect_instance, forget_key, migrate, rights, schema_is_current,
};

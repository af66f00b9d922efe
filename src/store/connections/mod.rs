//! Connections to Postgres: the pool, how statements run on its connections, their errors, and the rights of the service's
//! role.

pub mod rights;

mod error;
mod pool;
mod pseudonym_key_check;
mod statements;
mod sticky_connection;

pub use error::StoreError;
pub use pool::{PLANNER_SETTINGS, PoolSettings, connect, migrate, schema_is_current};
pub use pseudonym_key_check::connect_instance;
pub use statements::MAX_STATEMENT_TIMEOUT;

pub(in crate::store) use error::{is_blocked, is_refusal, lost_race};
pub(in crate::store) use pool::{connect_options, pool_options};
pub(in crate::store) use pseudonym_key_check::PseudonymKeys;
pub(in crate::store) use statements::{read, read_batched, write, write_batched};
pub(in crate::store) use sticky_connection::StickyConnection;

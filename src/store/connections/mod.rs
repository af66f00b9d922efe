//! Connections to Postgres: the pool, how statements run on its connections, their errors, and the rights of the service's
//! role.

pub mod rights;

mod checked_out;
mod error;
mod health_probe;
mod instance;
mod key_check_values;
mod maintenance;
mod pool;
mod race_retry;
mod schema;
mod session_check;
mod statements;
mod sticky_connection;

pub use checked_out::MAX_STATEMENT_TIMEOUT;
pub use error::{Failure, StoreError};
pub use health_probe::{HealthProbe, Readiness, check_keys};
pub use instance::connect_instance;
pub use key_check_values::{InstanceKeys, compare_keys, forget_key};
pub use pool::{PLANNER_SETTINGS, PoolSettings, connect};
pub use schema::{migrate, schema_is_current};

pub(crate) use maintenance::{close, open_for_maintenance};

pub(in crate::store) use error::{is_blocked, is_refusal};
pub(in crate::store) use instance::PseudonymKeys;
pub(crate) use key_check_values::describe_foreign;
pub(in crate::store) use pool::{connect_options, pool_options};
pub(in crate::store) use race_retry::{MAX_RACE_RETRIES, none_if_race_lost, too_many_races};
pub(in crate::store) use statements::{read, read_batched, write, write_batched};
pub(in crate::store) use sticky_connection::StickyConnection;

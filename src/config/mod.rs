//! Configuration: one TOML file, overridden by environment variables. `deploy/temporary-pin.toml` documents every key.
//!
//! A value that has no default is empty until it is set; [`Config::load`] refuses what is missing, so nothing behind it
//! has to ask. Secrets are [`secrecy::SecretString`]: neither `Debug` nor a message shows them.

mod caller;
mod check;
mod check_access;
mod check_parts;
mod check_rules;
mod explain;
mod load;
mod parts;
mod secret;
mod server;
#[cfg(test)]
mod tests;

use serde::Deserialize;

pub use caller::{Caller, Role};
pub use load::ConfigError;
pub use parts::{Keys, Postgres, Redis, RoleCheck, Sms, SmsGateway};
pub use server::{Connections, Server, Tls};

use crate::audit::AuditSettings;
use crate::domain::rules::Rules;
use crate::login::IssuerSettings;
use crate::register::RegisterSettings;
use crate::store::upkeep::purge::Retention;
use crate::telemetry;

/// All settings.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The gRPC server.
    pub server: Server,
    /// Who may call, and in which roles.
    pub callers: Vec<Caller>,
    /// The database.
    pub postgres: Postgres,
    /// The guard's Redis.
    pub redis: Redis,
    /// The identity register.
    pub register: RegisterSettings,
    /// ID tokens of persons (R23).
    pub web_login: IssuerSettings,
    /// ID tokens of agents (R22).
    pub agent_login: IssuerSettings,
    /// SMS: gateway and dispatcher.
    pub sms: Sms,
    /// The key ring.
    pub keys: Keys,
    /// The figures of the rules R1–R25.
    pub rules: Rules,
    /// How long rows are kept.
    pub retention: Retention,
    /// The sealing of the audit.
    pub audit: AuditSettings,
    /// Logs, traces and metrics.
    pub telemetry: telemetry::Settings,
}

//! Configuration: one TOML file, overridden by environment variables. `deploy/temporary-pin.toml` documents every key.
//!
//! A setting without a default is empty until it is set. [`Config::load`] rejects a configuration with empty settings, so
//! the rest of the service does not check again. Secrets are [`secrecy::SecretString`]: neither `Debug` nor an error
//! message shows them.

mod caller;
mod check;
mod dependencies;
mod environment;
mod explain;
mod load;
mod secret;
mod server;
mod sms;
#[cfg(test)]
mod tests;

use serde::Deserialize;

pub use caller::{CallerSettings, Role};
pub use dependencies::{KeySettings, PostgresSettings, RedisSettings, RoleCheck};
pub use load::ConfigError;
pub(crate) use secret::read_secret;
pub use server::{ConnectionSettings, MAX_ID_TOKEN_CHARACTERS, ServerSettings, TlsSettings};
pub use sms::{GatewayKind, GatewaySettings, SmsGatewaySettings, SmsSettings};

use crate::audit::AuditSettings;
use crate::domain::rule_settings::Rules;
use crate::login::IssuerList;
use crate::register::RegisterSettings;
use crate::store::upkeep::purge::Retention;
use crate::telemetry::TelemetrySettings;

/// All settings.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    pub server: ServerSettings,
    /// Client processes that may call, and their roles.
    pub callers: Vec<CallerSettings>,
    pub postgres: PostgresSettings,
    /// Redis, which holds limits and holds.
    pub redis: RedisSettings,
    pub register: RegisterSettings,
    /// ID tokens of persons (R23).
    pub web_login: IssuerList,
    /// ID tokens of agents (R22).
    pub agent_login: IssuerList,
    /// SMS gateway and dispatcher.
    pub sms: SmsSettings,
    pub keys: KeySettings,
    /// The figures of the rules R1–R25.
    pub rules: Rules,
    /// How long each table keeps its rows.
    pub retention: Retention,
    /// How the audit is sealed.
    pub audit: AuditSettings,
    pub telemetry: TelemetrySettings,
}

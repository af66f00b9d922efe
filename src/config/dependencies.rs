//! Settings of what the service depends on: Postgres, Redis, the SMS gateway and the key ring.

use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;
use serde::Deserialize;

use crate::sms::settings::DispatcherSettings;
use crate::store::PoolSettings;

/// The database.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PostgresSettings {
    /// `postgres://…`, with the password.
    pub url: SecretString,
    /// File that holds the URL instead.
    pub url_file: Option<PathBuf>,
    /// Role that `serve` connects as. `migrate` runs as the owner and grants this role its rights.
    pub service_role: Option<String>,
    /// What `serve` does if its role could change the audit.
    pub role_check: RoleCheck,
    /// The connection pool and its time-outs.
    pub pool: PoolSettings,
}

/// What `serve` does if its database role has rights that would let it change the audit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RoleCheck {
    /// End with an error.
    #[default]
    Refuse,
    /// Log a warning and serve.
    Warn,
}

/// Redis, which holds limits and holds.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RedisSettings {
    /// `redis://…` or `rediss://…`, with the password.
    pub url: SecretString,
    /// File that holds the URL instead.
    pub url_file: Option<PathBuf>,
    /// Prefix of every key.
    pub key_prefix: String,
    /// Longest wait for a connection or a response.
    #[serde(with = "humantime_serde")]
    pub timeout: Duration,
}

impl Default for RedisSettings {
    fn default() -> Self {
        Self {
            url: SecretString::default(),
            url_file: None,
            key_prefix: "temporary-pin".into(),
            timeout: Duration::from_secs(1),
        }
    }
}

/// Sending of SMS.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SmsSettings {
    /// The gateway that takes the messages.
    pub gateway: SmsGatewaySettings,
    /// The dispatcher, which hands the messages of the outbox over to the gateway.
    pub dispatcher: DispatcherSettings,
}

/// The SMS gateway.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SmsGatewaySettings {
    /// Base URL.
    pub url: String,
    pub token: SecretString,
    /// File that holds the API token instead.
    pub token_file: Option<PathBuf>,
    /// Sender that the phone shows.
    pub sender: String,
    /// Longest wait for a response.
    #[serde(with = "humantime_serde")]
    pub timeout: Duration,
    /// R24: the shortest validity that the gateway observes.
    #[serde(with = "humantime_serde")]
    pub least_validity: Duration,
    /// How long an idle connection is kept for the next message.
    #[serde(with = "humantime_serde")]
    pub idle_timeout: Duration,
}

impl Default for SmsGatewaySettings {
    fn default() -> Self {
        Self {
            url: String::new(),
            token: SecretString::default(),
            token_file: None,
            sender: "MitID".into(),
            timeout: Duration::from_secs(10),
            least_validity: Duration::from_secs(60),
            idle_timeout: Duration::from_secs(4),
        }
    }
}

/// The key ring.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct KeySettings {
    /// File of the key ring, made by `temporary-pin keys generate`.
    pub file: PathBuf,
}

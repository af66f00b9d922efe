//! Settings of the parts behind the server.

use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;
use serde::Deserialize;

use crate::sms::settings::DispatcherSettings;
use crate::store::PoolSettings;

/// The database.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Postgres {
    /// `postgres://…`, with the password.
    pub url: SecretString,
    /// File that holds the URL instead.
    pub url_file: Option<PathBuf>,
    /// The role that `serve` connects as, to which `migrate`, run as the owner, grants what it needs.
    pub service_role: Option<String>,
    /// What `serve` does when its role could change the audit.
    pub role_check: RoleCheck,
    /// Connections and patience.
    pub pool: PoolSettings,
}

/// What follows when the service's role has rights by which it could change what is on record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RoleCheck {
    /// The service does not serve.
    #[default]
    Refuse,
    /// It serves, and logs a warning.
    Warn,
}

/// The guard's Redis.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Redis {
    /// `redis://…` or `rediss://…`, with the password.
    pub url: SecretString,
    /// File that holds the URL instead.
    pub url_file: Option<PathBuf>,
    /// First part of every key.
    pub key_prefix: String,
    /// Longest wait for a connection or an answer.
    #[serde(with = "humantime_serde")]
    pub timeout: Duration,
}

impl Default for Redis {
    fn default() -> Self {
        Self {
            url: SecretString::default(),
            url_file: None,
            key_prefix: "temporary-pin".into(),
            timeout: Duration::from_secs(1),
        }
    }
}

/// SMS.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Sms {
    /// Where messages are handed over.
    pub gateway: SmsGateway,
    /// The work off the outbox.
    pub dispatcher: DispatcherSettings,
}

/// The SMS gateway.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SmsGateway {
    /// Base URL.
    pub url: String,
    /// API token.
    pub token: SecretString,
    /// File that holds the API token instead.
    pub token_file: Option<PathBuf>,
    /// Sender that the phone shows.
    pub sender: String,
    /// Longest wait for an answer.
    #[serde(with = "humantime_serde")]
    pub timeout: Duration,
}

impl Default for SmsGateway {
    fn default() -> Self {
        Self {
            url: String::new(),
            token: SecretString::default(),
            token_file: None,
            sender: "MitID".into(),
            timeout: Duration::from_secs(10),
        }
    }
}

/// The key ring.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Keys {
    /// Its file, made by `temporary-pin keys generate`.
    pub file: PathBuf,
}

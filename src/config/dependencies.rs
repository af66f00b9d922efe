//! Settings of what the service depends on: Postgres, Redis and the key ring.

use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;
use serde::Deserialize;

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

/// The key ring.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct KeySettings {
    /// File of the key ring, made by `temporary-pin keys generate`.
    pub file: PathBuf,
}

//! Checks the settings of what the service depends on: Postgres, Redis, register, issuers, gateway, files, telemetry.

use std::path::Path;
use std::str::FromStr as _;

use secrecy::{ExposeSecret as _, SecretString};
use sqlx::postgres::PgConnectOptions;
use tracing_subscriber::EnvFilter;

use super::logins;
use super::problems::Problems;
use super::sms;
use crate::config::{Config, PostgresSettings, RedisSettings};
use crate::register::RegisterSettings;
use crate::store::MAX_STATEMENT_TIMEOUT;
use crate::telemetry::TelemetrySettings;

pub(super) fn check(config: &Config, problems: &mut Problems) {
    check_postgres(&config.postgres, problems);
    check_redis(&config.redis, problems);
    check_register(&config.register, problems);
    logins::check(config, problems);
    sms::check(&config.sms, config.rules.pin.lifetime, problems);
    check_readable("keys.file", &config.keys.file, "make one with `temporary-pin keys generate --out FILE`", problems);
    problems.require_positive("audit.seal_interval", config.audit.seal_interval);
    check_telemetry(&config.telemetry, problems);
}

fn check_postgres(postgres: &PostgresSettings, problems: &mut Problems) {
    let is_valid = |url: &str| url.starts_with("postgres") && PgConnectOptions::from_str(url).is_ok();
    check_url("postgres.url", &postgres.url, is_valid, "postgres://user@host/database", problems);
    problems.add_unless(
        postgres.service_role.as_deref() != Some(""),
        "postgres.service_role",
        "must name a role; leave it out where migrate has nothing to grant",
    );
    problems.require_at_least_one("postgres.pool.max_connections", postgres.pool.max_connections);
    problems.require_positive("postgres.pool.acquire_timeout", postgres.pool.acquire_timeout);
    problems.require_positive("postgres.pool.statement_timeout", postgres.pool.statement_timeout);
    problems.add_unless(
        postgres.pool.statement_timeout <= MAX_STATEMENT_TIMEOUT,
        "postgres.pool.statement_timeout",
        format!("must be at most {}s, as callers wait for the answer", MAX_STATEMENT_TIMEOUT.as_secs()),
    );
}

fn check_redis(redis: &RedisSettings, problems: &mut Problems) {
    let is_valid = |url: &str| ::redis::parse_redis_url(url).is_some();
    check_url("redis.url", &redis.url, is_valid, "redis://host:6379, or rediss:// for TLS", problems);
    problems.add_unless(
        !redis.key_prefix.is_empty() && !redis.key_prefix.contains(['{', '}']),
        "redis.key_prefix",
        "must not be empty, nor hold braces, which decide where Redis Cluster keeps a key",
    );
    problems.require_positive("redis.timeout", redis.timeout);
}

fn check_register(register: &RegisterSettings, problems: &mut Problems) {
    if let Err(error) = register.check() {
        problems.add("register", format!("{error:#}"));
    }
    problems.require_positive("register.deadline", register.deadline);
    problems.require_at_least_one("register.attempts", register.attempts);
}

fn check_telemetry(telemetry: &TelemetrySettings, problems: &mut Problems) {
    problems.add_unless(
        EnvFilter::try_new(&telemetry.log).is_ok(),
        "telemetry.log",
        "must be a filter, such as \"info\" or \"info,temporary_pin::sms=debug\"",
    );
    if let Some(endpoint) = &telemetry.otlp_endpoint {
        let scheme = reqwest::Url::parse(endpoint).map(|url| url.scheme().to_owned()).unwrap_or_default();
        problems.add_unless(
            ["http", "https"].contains(&scheme.as_str()),
            "telemetry.otlp_endpoint",
            "must be a URL, such as http://127.0.0.1:4317",
        );
        problems.add_unless(
            scheme != "https" || telemetry.otlp_ca.is_some(),
            "telemetry.otlp_ca",
            "is missing; an https endpoint needs the collector's CA, a PEM file",
        );
    }
    if let Some(file) = &telemetry.otlp_ca {
        check_readable("telemetry.otlp_ca", file, "name the collector's CA, a PEM file", problems);
    }
}

/// Adds a problem if the URL is not valid. An empty URL is a missing secret, which `secret.rs` has reported already. The
/// message does not show the URL, because it may hold a password.
fn check_url(
    key: &str,
    url: &SecretString,
    is_valid: impl Fn(&str) -> bool,
    valid_form: &str,
    problems: &mut Problems,
) {
    let url = url.expose_secret();
    problems.add_unless(url.is_empty() || is_valid(url), key, format!("is not valid; write {valid_form}"));
}

fn check_readable(key: &str, file: &Path, advice: &str, problems: &mut Problems) {
    if file.as_os_str().is_empty() {
        problems.add(key, format!("is missing; {advice}"));
    } else if let Err(error) = std::fs::File::open(file) {
        problems.add(key, format!("cannot read {}: {error}; {advice}", file.display()));
    }
}

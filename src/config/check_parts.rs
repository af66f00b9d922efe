//! Checks the settings of the parts behind the server.

use std::path::Path;
use std::str::FromStr as _;

use secrecy::{ExposeSecret as _, SecretString};
use sqlx::postgres::PgConnectOptions;
use tracing_subscriber::EnvFilter;

use super::Config;
use super::check::Problems;

pub(super) fn check(config: &Config, problems: &mut Problems) {
    let Config { postgres, redis, register, web_login, agent_login, sms, keys, telemetry, .. } = config;
    unless_url(problems, "postgres.url", &postgres.url, "postgres://user@host/database", |url| {
        url.starts_with("postgres") && PgConnectOptions::from_str(url).is_ok()
    });
    problems.unless(postgres.pool.max_connections >= 1, "postgres.pool.max_connections", "must be at least 1");
    unless_url(problems, "redis.url", &redis.url, "redis://host:6379 or rediss://host:6379", |url| {
        redis::parse_redis_url(url).is_some()
    });
    problems.unless(
        !redis.key_prefix.is_empty() && !redis.key_prefix.contains(['{', '}']),
        "redis.key_prefix",
        "must not be empty, nor hold braces, which would change where Redis Cluster keeps the keys",
    );

    problems.unless_secure_url("register.url", &register.url);
    for (key, login) in [("web_login", web_login), ("agent_login", agent_login)] {
        problems.unless_secure_url(&format!("{key}.issuer"), &login.issuer);
        problems.unless(!login.audience.is_empty(), &format!("{key}.audience"), "is missing; set it to our client id");
    }

    problems.unless_secure_url("sms.gateway.url", &sms.gateway.url);
    problems.unless(
        is_sender(&sms.gateway.sender),
        "sms.gateway.sender",
        "must be 1 to 11 letters and digits, or a number of at most 15 digits",
    );
    problems.unless(
        sms.gateway.timeout < sms.dispatcher.lease,
        "sms.gateway.timeout",
        "must be less than sms.dispatcher.lease, or another dispatcher sends the message again",
    );

    readable(problems, "keys.file", &keys.file, "make one with `temporary-pin keys generate --out FILE`");
    problems.unless(EnvFilter::try_new(&telemetry.log).is_ok(), "telemetry.log", "must be a filter, such as \"info\"");
    if let Some(endpoint) = &telemetry.otlp_endpoint {
        let https = endpoint.starts_with("https://");
        problems.unless(
            https || endpoint.starts_with("http://"),
            "telemetry.otlp_endpoint",
            "must be http:// or https://",
        );
        problems.unless(!https || telemetry.otlp_ca.is_some(), "telemetry.otlp_ca", "is needed with an https endpoint");
    }
    if let Some(file) = &telemetry.otlp_ca {
        readable(problems, "telemetry.otlp_ca", file, "name the collector's CA, a PEM file");
    }
}

/// A missing URL has been noted already. The message does not repeat the URL: it may hold a password.
fn unless_url(problems: &mut Problems, key: &str, url: &SecretString, right: &str, fine: impl Fn(&str) -> bool) {
    let url = url.expose_secret();
    problems.unless(url.is_empty() || fine(url), key, format!("is not valid; write {right}"));
}

fn readable(problems: &mut Problems, key: &str, file: &Path, right: &str) {
    let problem = if file.as_os_str().is_empty() {
        format!("is missing; {right}")
    } else if let Err(error) = std::fs::File::open(file) {
        format!("cannot read {}: {error}; {right}", file.display())
    } else {
        return;
    };
    problems.unless(false, key, problem);
}

/// What gateways accept: GSM's alphanumeric sender or a number.
fn is_sender(sender: &str) -> bool {
    let digits = sender.bytes().all(|byte| byte.is_ascii_digit());
    let longest = if digits { 15 } else { 11 };
    (1..=longest).contains(&sender.len()) && sender.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

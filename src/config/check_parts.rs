//! Checks the settings of the parts behind the server.

use std::path::Path;
use std::str::FromStr as _;

use secrecy::{ExposeSecret as _, SecretString};
use sqlx::postgres::PgConnectOptions;
use tracing_subscriber::EnvFilter;

use super::check::Problems;
use super::{Config, Postgres, Redis, Sms};
use crate::confidential::is_confidential;
use crate::login::IssuerSettings;
use crate::register::RegisterSettings;
use crate::store::MAX_STATEMENT_TIMEOUT;
use crate::telemetry;

pub(super) fn check(config: &Config, problems: &mut Problems) {
    postgres(&config.postgres, problems);
    redis(&config.redis, problems);
    register(&config.register, problems);
    login("web_login", &config.web_login, problems);
    login("agent_login", &config.agent_login, problems);
    sms(&config.sms, problems);
    readable("keys.file", &config.keys.file, "make one with `temporary-pin keys generate --out FILE`", problems);
    problems.unless_positive("audit.seal_interval", config.audit.seal_interval);
    telemetry(&config.telemetry, problems);
}

fn postgres(postgres: &Postgres, problems: &mut Problems) {
    let fine = |url: &str| url.starts_with("postgres") && PgConnectOptions::from_str(url).is_ok();
    url("postgres.url", &postgres.url, fine, "postgres://user@host/database", problems);
    problems.unless(
        postgres.service_role.as_deref() != Some(""),
        "postgres.service_role",
        "must name a role; leave it out where migrate has nothing to grant",
    );
    problems.unless_at_least_one("postgres.pool.max_connections", postgres.pool.max_connections);
    problems.unless_positive("postgres.pool.acquire_timeout", postgres.pool.acquire_timeout);
    problems.unless_positive("postgres.pool.statement_timeout", postgres.pool.statement_timeout);
    problems.unless(
        postgres.pool.statement_timeout <= MAX_STATEMENT_TIMEOUT,
        "postgres.pool.statement_timeout",
        format!("must be at most {}s, as callers wait for the answer", MAX_STATEMENT_TIMEOUT.as_secs()),
    );
}

fn redis(redis: &Redis, problems: &mut Problems) {
    let fine = |url: &str| ::redis::parse_redis_url(url).is_some();
    url("redis.url", &redis.url, fine, "redis://host:6379, or rediss:// for TLS", problems);
    problems.unless(
        !redis.key_prefix.is_empty() && !redis.key_prefix.contains(['{', '}']),
        "redis.key_prefix",
        "must not be empty, nor hold braces, which decide where Redis Cluster keeps a key",
    );
    problems.unless_positive("redis.timeout", redis.timeout);
}

fn register(register: &RegisterSettings, problems: &mut Problems) {
    if let Err(error) = register.check() {
        problems.note("register", format!("{error:#}"));
    }
    problems.unless_positive("register.deadline", register.deadline);
    problems.unless_at_least_one("register.attempts", register.attempts);
}

fn login(section: &str, login: &IssuerSettings, problems: &mut Problems) {
    if let Err(error) = login.check() {
        problems.note(&format!("{section}.issuer"), error.to_string());
    }
    for (key, value, what) in [
        ("audience", &login.audience, "our client id, as in the tokens' aud"),
        ("person_claim", &login.person_claim, "a claim's name"),
        ("assurance_claim", &login.assurance_claim, "a claim's name"),
    ] {
        problems.unless(!value.is_empty(), &format!("{section}.{key}"), format!("is missing; set it to {what}"));
    }
    problems.unless_positive(&format!("{section}.timeout"), login.timeout);
}

fn sms(Sms { gateway, dispatcher }: &Sms, problems: &mut Problems) {
    let url = reqwest::Url::parse(&gateway.url);
    problems.unless(
        url.is_ok_and(|url| is_confidential(url.scheme(), url.host_str().unwrap_or_default())),
        "sms.gateway.url",
        "must be an https URL (http only on a loopback address)",
    );
    problems.unless(
        is_sender(&gateway.sender),
        "sms.gateway.sender",
        "must be 1 to 11 letters and digits, or a number of at most 15 digits",
    );
    problems.unless_positive("sms.gateway.timeout", gateway.timeout);
    problems.unless(
        gateway.timeout * 2 <= dispatcher.lease,
        "sms.gateway.timeout",
        "must be at most half of sms.dispatcher.lease: a hand-over that outlasts its lease counts as lost",
    );
    problems.unless_at_least_one("sms.dispatcher.concurrency", dispatcher.concurrency);
    problems.unless_positive("sms.dispatcher.poll_interval", dispatcher.poll_interval);
    problems.unless_positive("sms.dispatcher.retry_delay", dispatcher.retry_delay);
    problems.unless(
        dispatcher.retry_delay_limit >= dispatcher.retry_delay,
        "sms.dispatcher.retry_delay_limit",
        "must be at least sms.dispatcher.retry_delay",
    );
}

fn telemetry(telemetry: &telemetry::Settings, problems: &mut Problems) {
    problems.unless(
        EnvFilter::try_new(&telemetry.log).is_ok(),
        "telemetry.log",
        "must be a filter, such as \"info\" or \"info,temporary_pin::sms=debug\"",
    );
    if let Some(endpoint) = &telemetry.otlp_endpoint {
        let scheme = reqwest::Url::parse(endpoint).map(|url| url.scheme().to_owned()).unwrap_or_default();
        problems.unless(
            ["http", "https"].contains(&scheme.as_str()),
            "telemetry.otlp_endpoint",
            "must be a URL, such as http://127.0.0.1:4317",
        );
        problems.unless(
            scheme != "https" || telemetry.otlp_ca.is_some(),
            "telemetry.otlp_ca",
            "is missing; an https endpoint needs the collector's CA, a PEM file",
        );
    }
    if let Some(file) = &telemetry.otlp_ca {
        readable("telemetry.otlp_ca", file, "name the collector's CA, a PEM file", problems);
    }
}

/// Notes a URL that is not fine. A missing one has been noted already. The URL is not shown: it may hold a password.
fn url(key: &str, url: &SecretString, fine: impl Fn(&str) -> bool, right: &str, problems: &mut Problems) {
    let url = url.expose_secret();
    problems.unless(url.is_empty() || fine(url), key, format!("is not valid; write {right}"));
}

fn readable(key: &str, file: &Path, right: &str, problems: &mut Problems) {
    if file.as_os_str().is_empty() {
        problems.note(key, format!("is missing; {right}"));
    } else if let Err(error) = std::fs::File::open(file) {
        problems.note(key, format!("cannot read {}: {error}; {right}", file.display()));
    }
}

/// What gateways accept: GSM's alphanumeric sender or a number.
fn is_sender(sender: &str) -> bool {
    let longest = if sender.bytes().all(|byte| byte.is_ascii_digit()) { 15 } else { 11 };
    (1..=longest).contains(&sender.len()) && sender.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

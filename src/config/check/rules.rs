//! Checks the figures of the rules, and that each table keeps its rows as long as the rules count them.

use std::time::Duration;

use humantime_serde::re::humantime::format_duration;

use super::problems::Problems;
use crate::config::Config;
use crate::domain::document::DocumentKind;
use crate::domain::document::issuers::is_issuer;
use crate::domain::rule_settings::{Limit, LimitRules, Rules, VerificationRules};

/// Longest lifetime of a PIN. An out-of-band secret is valid for 10 minutes at most (NIST SP 800-63B-4, 3.1.3.2).
const MAX_PIN_LIFETIME: Duration = Duration::from_secs(600);

/// Longest interval to which the response time of a refusal is padded. The caller waits that long.
const MAX_REFUSAL_INTERVAL: Duration = Duration::from_secs(1);

pub(super) fn check(config: &Config, problems: &mut Problems) {
    let Rules { pin, hold, eligibility, verification, limits } = &config.rules;
    problems.add_unless(
        pin.lifetime > Duration::ZERO && pin.lifetime <= MAX_PIN_LIFETIME,
        "rules.pin.lifetime",
        "must be longer than nothing and at most 10m (R2, NIST SP 800-63B)",
    );
    problems.add_unless(
        pin.resend_interval < pin.lifetime,
        "rules.pin.resend_interval",
        "must be less than pin.lifetime",
    );
    for (key, times) in [
        ("rules.pin.tries", pin.tries),
        ("rules.pin.sends", pin.sends),
        ("rules.verification.witness_times", verification.witness_times),
    ] {
        problems.require_at_least_one(key, times);
    }
    for (key, duration) in [
        ("rules.hold.wait", hold.wait),
        ("rules.hold.access_window", hold.access_window),
        ("rules.verification.lifetime", verification.lifetime),
        ("rules.verification.login_age", verification.login_age),
        ("rules.verification.agent_login_age", verification.agent_login_age),
    ] {
        problems.require_positive(key, duration);
    }
    problems.add_unless(
        !eligibility.destinations.is_empty(),
        "rules.eligibility.destinations",
        "must name at least one calling code, such as 45",
    );
    check_documents(verification, problems);
    for (key, interval) in [
        ("rules.pin.refusal_interval", pin.refusal_interval),
        ("rules.verification.refusal_interval", verification.refusal_interval),
    ] {
        let max_seconds = MAX_REFUSAL_INTERVAL.as_secs();
        problems.add_unless(
            interval <= MAX_REFUSAL_INTERVAL,
            key,
            format!("must be at most {max_seconds}s: callers wait"),
        );
    }
    for (key, limit) in limits_by_key(limits) {
        problems.require_at_least_one(&format!("rules.limits.{key}.times"), limit.times);
        problems.require_positive(&format!("rules.limits.{key}.per"), limit.per);
    }
    for (table, min_retention) in config.retention.settings_too_short(&config.rules) {
        let min_retention = format_duration(min_retention);
        problems.add(
            &format!("retention.{table}"),
            format!("must be at least {min_retention}, because the rules count rows for that time"),
        );
    }
}

fn check_documents(rules: &VerificationRules, problems: &mut Problems) {
    const CODES: &str = "must be ISO 3166-1 alpha-3 codes of countries, such as \"DNK\"";
    if let Some(issuers) = &rules.document_issuers {
        let are_issuers = !issuers.is_empty() && issuers.iter().all(|code| is_issuer(code));
        problems.add_unless(are_issuers, "rules.verification.document_issuers", CODES);
    }
    for (name, list) in rules.documents.by_name() {
        let key = format!("rules.verification.documents.{name}");
        problems.add_unless(list.issuer_codes().all(is_issuer), &key, format!("{CODES}, or \"any\""));
    }
    problems.add_unless(
        rules.documents.phone.kinds().all(DocumentKind::is_of_the_phone),
        "rules.verification.documents.phone",
        "may name passport and driving_licence only: the contract allows no other kind by phone (R15)",
    );
}

fn limits_by_key(limits: &LimitRules) -> [(&'static str, Limit); 8] {
    [
        ("wrong_tries", limits.wrong_tries),
        ("failed_verifications", limits.failed_verifications),
        ("person_pins", limits.person_pins),
        ("mobile_pins", limits.mobile_pins),
        ("agent_verifications", limits.agent_verifications),
        ("agent_pins", limits.agent_pins),
        ("service_pins", limits.service_pins),
        ("caller_calls", limits.caller_calls),
    ]
}

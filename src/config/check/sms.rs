//! Checks the settings of the SMS gateways and of the dispatcher.

use std::collections::BTreeSet;
use std::time::Duration;

use super::problems::Problems;
use crate::confidential::is_confidential;
use crate::config::{GatewayKind, GatewaySettings, SmsSettings};

/// Longest SMS sender that GSM allows: letters and digits, or digits alone (a phone number).
const MAX_ALPHANUMERIC_SENDER_LENGTH: usize = 11;
const MAX_NUMERIC_SENDER_LENGTH: usize = 15;

/// Longest name of a gateway.
const MAX_NAME_LENGTH: usize = 40;

pub(super) fn check(sms: &SmsSettings, pin_lifetime: Duration, problems: &mut Problems) {
    let gateways = sms.all_gateways();
    let key = |index: usize| {
        if sms.gateways.is_empty() { "sms.gateway".to_owned() } else { format!("sms.gateways[{index}]") }
    };
    problems.add_unless(
        sms.gateways.is_empty() || sms.gateway.url.is_empty(),
        "sms.gateway.url",
        "is not used beside [[sms.gateways]]; make it one of them",
    );
    for (index, gateway) in gateways.iter().enumerate() {
        check_gateway(&key(index), gateway, pin_lifetime, problems);
    }
    let names: BTreeSet<&str> = gateways.iter().map(|gateway| gateway.name.as_str()).collect();
    problems.add_unless(names.len() == gateways.len(), "sms.gateways", "must have different names");
    let total: Duration = gateways.iter().map(|gateway| gateway.timeout).sum();
    let dispatcher = &sms.dispatcher;
    problems.add_unless(
        total * 2 <= dispatcher.lease,
        &format!("{}.timeout", key(0)),
        "must be at most half of sms.dispatcher.lease, that of all gateways together: a hand-over that outlasts its lease \
         counts as lost",
    );
    problems.require_at_least_one("sms.dispatcher.concurrency", dispatcher.concurrency);
    problems.require_positive("sms.dispatcher.poll_interval", dispatcher.poll_interval);
    problems.require_positive("sms.dispatcher.retry_delay", dispatcher.retry_delay);
    problems.add_unless(
        dispatcher.retry_delay_limit >= dispatcher.retry_delay,
        "sms.dispatcher.retry_delay_limit",
        "must be at least sms.dispatcher.retry_delay",
    );
}

fn check_gateway(key: &str, gateway: &GatewaySettings, pin_lifetime: Duration, problems: &mut Problems) {
    let url = reqwest::Url::parse(&gateway.url);
    problems.add_unless(
        url.is_ok_and(|url| is_confidential(url.scheme(), url.host_str().unwrap_or_default())),
        &format!("{key}.url"),
        "must be an https URL (http only on a loopback address)",
    );
    problems.add_unless(
        is_name(&gateway.name),
        &format!("{key}.name"),
        "must be 1 to 40 small letters, digits and hyphens",
    );
    problems.add_unless(
        is_sender(&gateway.sender),
        &format!("{key}.sender"),
        "must be 1 to 11 letters and digits, or a number of at most 15 digits",
    );
    problems.add_unless(
        (gateway.kind == GatewayKind::Kannel) != gateway.user.is_empty(),
        &format!("{key}.user"),
        "must be set for the kind kannel, and for no other",
    );
    problems.add_unless(
        (gateway.kind == GatewayKind::Http) == gateway.api.is_some(),
        &format!("{key}.api"),
        "must be set for the kind http, and for no other",
    );
    if let Some(Err(error)) = gateway.api.as_ref().map(|api| api.check()) {
        problems.add(&format!("{key}.api"), format!("{error:#}"));
    }
    problems.add_unless(
        gateway.least_validity < pin_lifetime,
        &format!("{key}.least_validity"),
        "must be less than rules.pin.lifetime: no PIN would be handed over",
    );
    problems.require_positive(&format!("{key}.timeout"), gateway.timeout);
    problems.require_positive(&format!("{key}.idle_timeout"), gateway.idle_timeout);
    if let Some(connections) = gateway.connections {
        problems.require_at_least_one(&format!("{key}.connections"), connections);
    }
    if let Some(rate) = gateway.rate {
        problems.require_at_least_one(&format!("{key}.rate"), rate);
    }
}

fn is_name(name: &str) -> bool {
    (1..=MAX_NAME_LENGTH).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

/// Whether gateways accept it as an SMS sender: an alphanumeric GSM sender or a phone number.
fn is_sender(sender: &str) -> bool {
    let is_number = sender.bytes().all(|byte| byte.is_ascii_digit());
    let max_length = if is_number { MAX_NUMERIC_SENDER_LENGTH } else { MAX_ALPHANUMERIC_SENDER_LENGTH };
    (1..=max_length).contains(&sender.len()) && sender.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

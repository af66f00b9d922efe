//! Checks the settings that decide who reaches the service: address, connections, TLS and callers.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::problems::Problems;
use crate::config::{CallerSettings, Config, ConnectionSettings, MAX_ID_TOKEN_CHARACTERS, Role, ServerSettings};

/// Fits the longest ID token and all other fields of a request.
const MIN_MESSAGE_BYTES: usize = 16 * 1024;

/// Far more threads than a machine has cores. A larger figure is a typing error.
const MAX_THREADS: usize = 1024;

/// Fits the metadata of a call: path, deadline, trace context, and headers that clients and proxies add.
const MIN_HEADER_LIST_BYTES: u32 = 4 * 1024;

pub(super) fn check(config: &Config, problems: &mut Problems) {
    let ServerSettings {
        default_deadline, message_limit, threads, max_calls, reload_interval, connections, tls, ..
    } = &config.server;
    problems.require_positive("server.default_deadline", *default_deadline);
    problems.require_positive("server.reload_interval", *reload_interval);
    problems.add_unless(
        *message_limit >= MIN_MESSAGE_BYTES,
        "server.message_limit",
        format!(
            "must be at least {MIN_MESSAGE_BYTES} (bytes): a call may bring an ID token of {MAX_ID_TOKEN_CHARACTERS}"
        ),
    );
    problems.add_unless(
        (1..=MAX_THREADS).contains(threads),
        "server.threads",
        format!("must be at least 1 and at most {MAX_THREADS}"),
    );
    problems.require_at_least_one("server.max_calls", *max_calls);
    check_connections(connections, *default_deadline, problems);
    match tls {
        Some(tls) => {
            check_certificates(problems, "server.tls.certificate", &tls.certificate);
            check_certificates(problems, "server.tls.client_ca", &tls.client_ca);
            let key = PrivateKeyDer::from_pem_file(&tls.key);
            problems.add_unless(
                key.is_ok(),
                "server.tls.key",
                format!("{} must hold a PEM private key", tls.key.display()),
            );
        }
        None => problems.add(
            "server.tls",
            "is missing; callers are known by their certificates, so set certificate, key and client_ca",
        ),
    }
    check_callers(&config.callers, problems);
}

fn check_connections(connections: &ConnectionSettings, longest_call: Duration, problems: &mut Problems) {
    let key = |name: &str| format!("server.connections.{name}");
    problems.require_at_least_one(&key("limit"), connections.limit);
    problems.require_at_least_one(&key("handshakes"), connections.handshakes);
    problems.require_positive(&key("handshake_timeout"), connections.handshake_timeout);
    problems.require_positive(&key("age"), connections.age);
    problems.add_unless(
        connections.age_grace >= longest_call,
        &key("age_grace"),
        "must be at least server.default_deadline: calls that run are to end first",
    );
    problems.require_positive(&key("keepalive_interval"), connections.keepalive_interval);
    problems.require_positive(&key("keepalive_timeout"), connections.keepalive_timeout);
    problems.require_at_least_one(&key("streams"), connections.streams);
    problems.add_unless(
        connections.header_list_size >= MIN_HEADER_LIST_BYTES,
        &key("header_list_size"),
        format!("must be at least {MIN_HEADER_LIST_BYTES} (bytes), which the metadata of a traced call may take"),
    );
    problems.require_at_least_one(&key("pending_resets"), connections.pending_resets);
    problems.require_at_least_one(&key("error_resets"), connections.error_resets);
}

fn check_certificates(problems: &mut Problems, key: &str, file: &Path) {
    let first = CertificateDer::pem_file_iter(file).ok().and_then(|mut certificates| certificates.next());
    problems.add_unless(matches!(first, Some(Ok(_))), key, format!("{} must hold PEM certificates", file.display()));
}

fn check_callers(callers: &[CallerSettings], problems: &mut Problems) {
    problems.add_unless(!callers.is_empty(), "callers", "nobody may call; add a [[callers]] table for each client");
    let (mut names, mut sans) = (BTreeSet::new(), BTreeSet::new());
    for (index, caller) in callers.iter().enumerate() {
        let key = |field: &str| format!("callers[{index}].{field}");
        problems.add_unless(!caller.name.is_empty(), &key("name"), "must not be empty");
        problems.add_unless(
            names.insert(&caller.name),
            &key("name"),
            format!("{} is taken by another caller", caller.name),
        );
        problems.add_unless(!caller.sans.is_empty(), &key("sans"), "must name at least one URI or DNS name");
        for san in &caller.sans {
            problems.add_unless(is_exact_name(san), &key("sans"), format!("{san:?} must be a URI or a full DNS name"));
            problems.add_unless(
                sans.insert(san),
                &key("sans"),
                format!("{san:?} appears twice; it must name one caller"),
            );
        }
        let channels = caller.roles.iter().filter(|role| matches!(role, Role::Channel(_))).count();
        problems.add_unless(!caller.roles.is_empty(), &key("roles"), "must name at least one role");
        problems.add_unless(channels <= 1, &key("roles"), "must name one channel at most; make a caller for each");
    }
}

/// Whether the name has no wildcard. With a wildcard, many different certificates would be the same caller.
fn is_exact_name(san: &str) -> bool {
    !san.is_empty() && !san.contains(['*', ' '])
}

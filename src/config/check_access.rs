//! Checks who may reach the service: address, TLS, callers.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::check::Problems;
use super::{Caller, Config, Connections, Role, Server};

/// Room for the longest ID token and everything else of a call.
const LEAST_MESSAGE_LIMIT: usize = 16 * 1024;

/// Far more than a machine has cores for.
const MOST_THREADS: usize = 1024;

/// Room for the metadata of a call: its path, deadline, trace and what clients and proxies add.
const LEAST_HEADER_LIST: u32 = 4 * 1024;

pub(super) fn check(config: &Config, problems: &mut Problems) {
    let Server { default_deadline, message_limit, threads, max_calls, reload_interval, connections, tls, .. } =
        &config.server;
    problems.unless_positive("server.default_deadline", *default_deadline);
    problems.unless_positive("server.reload_interval", *reload_interval);
    problems.unless(
        *message_limit >= LEAST_MESSAGE_LIMIT,
        "server.message_limit",
        format!("must be at least {LEAST_MESSAGE_LIMIT} (bytes): a call may bring an ID token of 8192"),
    );
    problems.unless(
        (1..=MOST_THREADS).contains(threads),
        "server.threads",
        format!("must be at least 1 and at most {MOST_THREADS}"),
    );
    problems.unless_at_least_one("server.max_calls", *max_calls);
    self::connections(connections, *default_deadline, problems);
    match tls {
        Some(tls) => {
            certificates(problems, "server.tls.certificate", &tls.certificate);
            certificates(problems, "server.tls.client_ca", &tls.client_ca);
            let key = PrivateKeyDer::from_pem_file(&tls.key);
            problems.unless(
                key.is_ok(),
                "server.tls.key",
                format!("{} must hold a PEM private key", tls.key.display()),
            );
        }
        None => problems.note(
            "server.tls",
            "is missing; callers are known by their certificates, so set certificate, key and client_ca",
        ),
    }
    callers(&config.callers, problems);
}

fn connections(connections: &Connections, longest_call: Duration, problems: &mut Problems) {
    let key = |name: &str| format!("server.connections.{name}");
    problems.unless_at_least_one(&key("limit"), connections.limit);
    problems.unless_at_least_one(&key("handshakes"), connections.handshakes);
    problems.unless_positive(&key("handshake_timeout"), connections.handshake_timeout);
    problems.unless_positive(&key("age"), connections.age);
    problems.unless(
        connections.age_grace >= longest_call,
        &key("age_grace"),
        "must be at least server.default_deadline: calls that run are to end first",
    );
    problems.unless_positive(&key("keepalive_interval"), connections.keepalive_interval);
    problems.unless_positive(&key("keepalive_timeout"), connections.keepalive_timeout);
    problems.unless_at_least_one(&key("streams"), connections.streams);
    problems.unless(
        connections.header_list_size >= LEAST_HEADER_LIST,
        &key("header_list_size"),
        format!("must be at least {LEAST_HEADER_LIST} (bytes), which the metadata of a traced call may take"),
    );
    problems.unless_at_least_one(&key("pending_resets"), connections.pending_resets);
    problems.unless_at_least_one(&key("error_resets"), connections.error_resets);
}

fn certificates(problems: &mut Problems, key: &str, file: &Path) {
    let first = CertificateDer::pem_file_iter(file).ok().and_then(|mut found| found.next());
    problems.unless(matches!(first, Some(Ok(_))), key, format!("{} must hold PEM certificates", file.display()));
}

fn callers(callers: &[Caller], problems: &mut Problems) {
    problems.unless(!callers.is_empty(), "callers", "nobody may call; add a [[callers]] table for each client");
    let (mut names, mut sans) = (BTreeSet::new(), BTreeSet::new());
    for (index, caller) in callers.iter().enumerate() {
        let key = |field: &str| format!("callers[{index}].{field}");
        problems.unless(!caller.name.is_empty(), &key("name"), "must not be empty");
        problems.unless(
            names.insert(&caller.name),
            &key("name"),
            format!("{} is taken by another caller", caller.name),
        );
        problems.unless(!caller.sans.is_empty(), &key("sans"), "must name at least one URI or DNS name");
        for san in &caller.sans {
            problems.unless(is_exact_name(san), &key("sans"), format!("{san:?} must be a URI or a full DNS name"));
            problems.unless(sans.insert(san), &key("sans"), format!("{san:?} appears twice; it must name one caller"));
        }
        let channels = caller.roles.iter().filter(|role| matches!(role, Role::Channel(_))).count();
        problems.unless(!caller.roles.is_empty(), &key("roles"), "must name at least one role");
        problems.unless(channels <= 1, &key("roles"), "must name one channel at most; make a caller for each");
    }
}

/// A wildcard would let many certificates be one caller.
fn is_exact_name(san: &str) -> bool {
    !san.is_empty() && !san.contains(['*', ' '])
}

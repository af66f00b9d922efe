//! Configurations with one problem: the message names the key, the problem and a valid value.

use std::fs;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use rstest::rstest;

use crate::{ConfigDirectory, stderr};

#[rstest]
// --- types, names
#[case("server.address", "'here'", "server.address: must be an IP address and a port, such as 127.0.0.1:50051")]
#[case("server.adress", "'x'", "server.adress: there is no such key; the keys here are address, reflection,")]
#[case("servre.address", "'x'", "servre: there is no such key; the keys here are server, callers,")]
#[case("server.reflection", "'maybe'", "server.reflection: must be true or false")]
#[case("rules.pin.tries", "-1", "rules.pin.tries: must be a whole number, not negative")]
#[case("rules.pin.lifetime", "600", "rules.pin.lifetime: must be a duration with its unit, such as \"90s\"")]
#[case("rules.hold.wait", "'1 fortnight'", "rules.hold.wait: must be a duration with its unit")]
#[case("rules.limits.person_pins", "{ times = 3 }", "rules.limits.person_pins.per: is missing")]
#[case("rules.eligibility.destinations", "45", "rules.eligibility.destinations: must be a list")]
#[case(
    "rules.eligibility.mobile_quarantine_channels",
    "['fax']",
    "rules.eligibility.mobile_quarantine_channels[0]: has no such value"
)]
#[case("redis", "'redis://:hunter2@host'", "redis: must be a section with keys of its own")]
// --- server and callers
#[case("server.default_deadline", "'0s'", "server.default_deadline: must be longer than nothing")]
#[case("server.message_limit", "100", "server.message_limit: must be at least 16384")]
#[case("server.threads", "0", "server.threads: must be at least 1 and at most 1024")]
#[case("server.threads", "1025", "server.threads: must be at least 1 and at most 1024")]
#[case("server.reload_interval", "'0s'", "server.reload_interval: must be longer than nothing")]
#[case("server.connections.limit", "0", "server.connections.limit: must be at least 1")]
#[case("server.connections.handshakes", "0", "server.connections.handshakes: must be at least 1")]
#[case(
    "server.connections.handshake_timeout",
    "'0s'",
    "server.connections.handshake_timeout: must be longer than nothing"
)]
#[case("server.connections.age", "'0s'", "server.connections.age: must be longer than nothing")]
#[case(
    "server.connections.age_grace",
    "'9s'",
    "server.connections.age_grace: must be at least server.default_deadline"
)]
#[case("server.connections.keepalive_interval", "'0s'", "server.connections.keepalive_interval: must be longer")]
#[case("server.connections.keepalive_timeout", "'0s'", "server.connections.keepalive_timeout: must be longer")]
#[case("server.connections.streams", "0", "server.connections.streams: must be at least 1")]
#[case("server.connections.header_list_size", "100", "server.connections.header_list_size: must be at least 4096")]
#[case("server.connections.pending_resets", "0", "server.connections.pending_resets: must be at least 1")]
#[case("server.connections.error_resets", "0", "server.connections.error_resets: must be at least 1")]
#[case("server.tls.key", "'/nowhere'", "server.tls.key: /nowhere must hold a PEM private key")]
#[case("server.tls.certificate", "'/dev/null'", "server.tls.certificate: /dev/null must hold PEM certificates")]
#[case("server.tls.client_ca", "'/dev/null'", "server.tls.client_ca: /dev/null must hold PEM certificates")]
#[case("callers", "[]", "callers: nobody may call; add a [[callers]] table")]
#[case("callers", "[{ name = '', sans = ['a'], roles = ['operator'] }]", "callers[0].name: must not be empty")]
#[case("callers", "[{ name = 'a', sans = [], roles = ['operator'] }]", "callers[0].sans: must name at least one")]
#[case(
    "callers",
    "[{ name = 'a', sans = ['*.b'], roles = ['operator'] }]",
    "callers[0].sans: \"*.b\" must be a URI or"
)]
#[case("callers", "[{ name = 'a', sans = ['a'], roles = [] }]", "callers[0].roles: must name at least one role")]
#[case(
    "callers",
    "[{ name = 'a', sans = ['a'], roles = ['king'] }]",
    "callers[0].roles[0]: must be one of channel:web, channel:phone, channel:counter, redeemer, operator"
)]
#[case(
    "callers",
    "[{ name = 'a', sans = ['a'], roles = ['channel:web', 'channel:phone'] }]",
    "callers[0].roles: must name one channel at most"
)]
#[case(
    "callers",
    "[{ name = 'a', sans = ['a'], roles = ['operator'] }, { name = 'a', sans = ['b'], roles = ['operator'] }]",
    "callers[1].name: a is taken by another caller"
)]
#[case(
    "callers",
    "[{ name = 'a', sans = ['a'], roles = ['operator'] }, { name = 'b', sans = ['a'], roles = ['operator'] }]",
    "callers[1].sans: \"a\" appears twice"
)]
// --- Postgres, Redis
#[case("postgres.url_file", "'/nowhere'", "postgres.url_file: cannot read /nowhere: No such file")]
#[case("postgres.url_file", "'/dev/null'", "postgres.url_file: /dev/null is empty")]
#[case("postgres.url", "'postgres://me:hunter2@host/db'", "postgres.url: set it or postgres.url_file, not both")]
#[case("postgres", "{ url = 'mysql://me:hunter2@host' }", "postgres.url: is not valid; write postgres://")]
#[case("postgres.pool.max_connections", "0", "postgres.pool.max_connections: must be at least 1")]
#[case("redis", "{ url = 'http://:hunter2@host' }", "redis.url: is not valid; write redis://host:6379")]
#[case("redis", "{}", "redis.url: is missing; set redis.url_file to a file that holds it")]
#[case("redis.key_prefix", "'{a}'", "redis.key_prefix: must not be empty, nor hold braces")]
#[case("redis.timeout", "'0s'", "redis.timeout: must be longer than nothing")]
// --- register, logins
#[case("register", "{}", "register: url: is missing or no URL; write https://host:port")]
#[case("register.url", "'http://register.example'", "register: url: must be https (http only on a loopback address)")]
#[case("register.url", "'https://register.example'", "register: tls: https needs at least tls.ca")]
#[case("register.attempts", "0", "register.attempts: must be at least 1")]
#[case("web_login.issuer", "'http://login.example'", "web_login.issuer: must be an https URL")]
#[case("agent_login.issuer", "''", "agent_login.issuer: must be an https URL")]
#[case("agent_login.audience", "''", "agent_login.audience: is missing; set it to our client id")]
#[case(
    "agent_login",
    "{ issuer = 'https://login.example', audience = 'temporary-pin' }",
    "agent_login.audience: must not be the audience of web_login at the same issuer"
)]
#[case("web_login.broker", "'nets'", "web_login.broker: has no such value; the reference file names them all")]
#[case("web_login.broker", "'entra'", "web_login.broker: must be \"entra\" for agents and another for persons")]
#[case("agent_login.broker", "'entra'", "agent_login.levels: is missing; list the values of the assurance claim")]
#[case("web_login.person_form", "'sub'", "web_login.person_form: must contain UUID or CPR")]
#[case("web_login.assumed_level", "'High'", "web_login.assumed_level: is for agents alone")]
#[case("web_login.assurance_claim", "[]", "web_login.assurance_claim: must be one or several names of claims")]
#[case(
    "web_login.required_claims",
    "[{ claim = 'idp', values = [] }]",
    "web_login.required_claims: must each have a claim"
)]
#[case("agent_login.userinfo_token", "true", "agent_login.userinfo_token: is for persons alone")]
#[case("web_login", "[]", "web_login: must name at least one issuer")]
#[case(
    "web_login",
    "[{ issuer = 'https://a.example', audience = 'a' }, { issuer = 'https://a.example', audience = 'b' }]",
    "web_login[1].issuer: must be in one section only"
)]
#[case("web_login", "[{ isuer = 'https://a.example' }]", "web_login[0].isuer: there is no such key")]
// --- SMS
#[case("sms.gateway.url", "'http://gateway.example'", "sms.gateway.url: must be an https URL")]
#[case("sms.gateway.sender", "'MitID Support'", "sms.gateway.sender: must be 1 to 11 letters and digits")]
#[case("sms.gateway.timeout", "'40s'", "sms.gateway.timeout: must be at most half of sms.dispatcher.lease")]
#[case("sms.dispatcher.concurrency", "0", "sms.dispatcher.concurrency: must be at least 1")]
#[case("sms.dispatcher.poll_interval", "'0s'", "sms.dispatcher.poll_interval: must be longer than nothing")]
#[case(
    "sms.dispatcher.retry_delay_limit",
    "'1ms'",
    "sms.dispatcher.retry_delay_limit: must be at least sms.dispatcher"
)]
// --- keys, rules, retention, telemetry
#[case("keys", "{}", "keys.file: is missing; make one with `temporary-pin keys generate --out FILE`")]
#[case("keys.file", "'/nowhere'", "keys.file: cannot read /nowhere")]
#[case("rules.pin.lifetime", "'11m'", "rules.pin.lifetime: must be longer than nothing and at most 10m (R2,")]
#[case("rules.pin.resend_interval", "'10m'", "rules.pin.resend_interval: must be less than")]
#[case("rules.pin.refusal_interval", "'2s'", "rules.pin.refusal_interval: must be at most 1s")]
#[case("rules.pin.tries", "0", "rules.pin.tries: must be at least 1")]
#[case("rules.hold.wait", "'0s'", "rules.hold.wait: must be longer than nothing")]
#[case("rules.eligibility.destinations", "[]", "rules.eligibility.destinations: must name at least one calling code")]
#[case("rules.verification.lifetime", "'0s'", "rules.verification.lifetime: must be longer than nothing")]
#[case("rules.verification.document_issuers", "['Danmark']", "rules.verification.document_issuers: must be ISO 3166-1")]
#[case("rules.verification.document_issuers", "['UTO']", "rules.verification.document_issuers: must be ISO 3166-1")]
#[case(
    "rules.verification.documents.phone",
    "{ passport = ['Danmark'] }",
    "rules.verification.documents.phone: must be ISO 3166-1"
)]
#[case(
    "rules.verification.documents.phone",
    "{ residence_permit = ['DNK'] }",
    "rules.verification.documents.phone: may name passport and driving_licence only"
)]
#[case(
    "rules.verification.documents.witness",
    "{ passport = ['XXX'] }",
    "rules.verification.documents.witness: must be ISO 3166-1"
)]
#[case("rules.limits.agent_pins", "{ times = 0, per = '1h' }", "rules.limits.agent_pins.times: must be at least 1")]
#[case("rules.limits.agent_pins", "{ times = 1, per = '0s' }", "rules.limits.agent_pins.per: must be longer than")]
#[case("retention.verifications", "'30days'", "retention.verifications: must be at least 3months")]
#[case("retention.requests", "'1h'", "retention.requests: must be at least 1day")]
#[case("telemetry.log", "'temporary_pin=loud'", "telemetry.log: must be a filter, such as \"info\"")]
#[case("telemetry.otlp_endpoint", "'collector'", "telemetry.otlp_endpoint: must be a URL")]
#[case("telemetry.otlp_endpoint", "'https://collector:4317'", "telemetry.otlp_ca: is missing")]
#[case("telemetry.otlp_ca", "'/nowhere'", "telemetry.otlp_ca: cannot read /nowhere")]
fn a_bad_setting_is_rejected_with_a_message(#[case] key: &str, #[case] value: &str, #[case] message: &str) {
    let mut directory = ConfigDirectory::new();
    directory.set(key, value);
    let output = directory.check_config(&[]);
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    assert!(stderr(&output).contains(&format!("\n  {message}")), "{}", stderr(&output));
    assert!(!stderr(&output).contains("hunter2"), "a secret is shown: {}", stderr(&output));
}

#[rstest]
#[case("TEMPORARY_PIN__SERVER__ADRESS", "x", "server.adress: there is no such key")]
#[case("TEMPORARY_PIN__RULES__PIN__TRIES", "ten", "rules.pin.tries: must be a whole number")]
#[case("TEMPORARY_PIN__REDIS", "redis://:hunter2@host", "redis: must be a section with keys of its own")]
fn a_bad_variable_is_named(#[case] variable: &str, #[case] value: &str, #[case] message: &str) {
    let output = ConfigDirectory::new().check_config(&[(variable, value)]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains(message), "{}", stderr(&output));
    assert!(stderr(&output).contains(&format!("(environment variable {variable})")), "{}", stderr(&output));
    assert!(!stderr(&output).contains("hunter2"), "a secret is shown: {}", stderr(&output));
}

#[test]
fn all_problems_are_reported_at_once() {
    let mut directory = ConfigDirectory::new();
    for (key, value) in [("rules.pin.tries", "0"), ("redis.key_prefix", "''"), ("keys.file", "'/nowhere'")] {
        directory.set(key, value);
    }
    let output = directory.check_config(&[]);
    for key in ["rules.pin.tries", "redis.key_prefix", "keys.file"] {
        assert!(stderr(&output).contains(&format!("\n  {key}: ")), "{}", stderr(&output));
    }
}

#[test]
fn missing_tls_is_rejected() {
    let mut directory = ConfigDirectory::new();
    directory.config.remove("server");
    let output = directory.check_config(&[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("\n  server.tls: is missing; "), "{}", stderr(&output));
}

#[test]
fn a_damaged_key_ring_is_rejected() {
    let directory = ConfigDirectory::new();
    fs::write(directory.path("key-ring.toml"), "[pseudonym]\n1 = 'c2hvcnQ='\n[verifier]\n1 = ''\n").unwrap();
    let output = directory.check_config(&[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("\n  keys.file: the key ring "), "{}", stderr(&output));
    assert!(!stderr(&output).contains("c2hvcnQ"), "{}", stderr(&output));
}

#[test]
fn a_key_of_another_certificate_is_rejected() {
    let directory = ConfigDirectory::new();
    let CertifiedKey { signing_key, .. } = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    fs::write(directory.path("server.key"), signing_key.serialize_pem()).unwrap();
    let output = directory.check_config(&[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("server.tls: certificate and key do not fit"), "{}", stderr(&output));
}

//! `check-config` on valid configurations, and where values come from.

use std::fs;

use crate::{ConfigDirectory, run, stderr, stdout};

#[test]
fn says_what_it_checked_and_shows_no_secret() {
    let directory = ConfigDirectory::new();
    let output = directory.check_config(&[]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    for words in [
        "settings: valid",
        "key ring: read",
        "TLS:      certificate",
        "profile-page",
        "Not checked",
        "server CN=rcgen self signed cert is good until 4096-01-01 00:00:00 UTC",
        "client_ca CN=",
    ] {
        assert!(stdout(&output).contains(words), "{words} is not in:\n{}", stdout(&output));
    }
    assert!(!stdout(&output).contains("hunter2"));
}

#[test]
fn the_file_may_be_named_by_the_environment() {
    let directory = ConfigDirectory::new();
    directory.check_config(&[]);
    let output = run(&["check-config"], &[("TEMPORARY_PIN_CONFIG", &directory.path("temporary-pin.toml"))]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
}

#[test]
fn the_environment_overrides_the_file() {
    let mut directory = ConfigDirectory::new();
    directory.set("rules.pin.tries", "0");
    assert_eq!(directory.check_config(&[]).status.code(), Some(2));
    assert_eq!(directory.check_config(&[("TEMPORARY_PIN__RULES__PIN__TRIES", "3")]).status.code(), Some(0));
    directory.set("rules.pin.tries", "3");
    assert_eq!(directory.check_config(&[("TEMPORARY_PIN__RULES__PIN__TRIES", "0")]).status.code(), Some(2));
}

/// Digits stay text for a key of type text. Lists and tables are written as in TOML.
#[test]
fn environment_values_take_the_type_of_their_key() {
    let directory = ConfigDirectory::new();
    for (name, value) in [
        ("TEMPORARY_PIN__WEB_LOGIN__AUDIENCE", "0123"),
        ("TEMPORARY_PIN__SERVER__REFLECTION", "false"),
        ("TEMPORARY_PIN__SERVER__ADDRESS", "[::]:443"),
        ("TEMPORARY_PIN__RULES__ELIGIBILITY__DESTINATIONS", "[45]"),
        ("TEMPORARY_PIN__RULES__LIMITS__PERSON_PINS", "{ times = 1, per = \"1h\" }"),
        ("TEMPORARY_PIN__CALLERS", "[{ name = \"a\", sans = [\"a.example\"], roles = [\"redeemer\", \"operator\"] }]"),
        ("RUST_LOG", "warn,temporary_pin=debug"),
    ] {
        let output = directory.check_config(&[(name, value)]);
        assert_eq!(output.status.code(), Some(0), "{name}={value}: {}", stderr(&output));
    }
}

#[test]
fn every_command_that_reads_the_configuration_refuses_a_bad_one() {
    for command in ["serve", "migrate", "check-config"] {
        let output = run(&[command], &[]);
        assert_eq!(output.status.code(), Some(2), "{command}");
        assert!(stderr(&output).contains("\n  postgres.url: is missing"), "{command}: {}", stderr(&output));
    }
}

#[test]
fn a_syntax_error_is_located_without_showing_the_line() {
    let directory = ConfigDirectory::new();
    let file = directory.path("broken.toml");
    fs::write(&file, "[redis]\nurl = \"redis://:hunter2@host\n").unwrap();
    let output = run(&["check-config", "--config", &file], &[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains(&format!("{file}: line 2 is not valid TOML")), "{}", stderr(&output));
    assert!(!stderr(&output).contains("hunter2"), "{}", stderr(&output));
}

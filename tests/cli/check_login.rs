//! `check-login` on tokens that nobody signed: the issuer does not answer, and the other checks are made all the same.

use std::fs;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::{ConfigDirectory, run, stdout};

const UUID: &str = "9d6cbe7c-2a4b-4d0e-9b43-6a7d1f2e3c4b";

/// A token that nobody signed.
fn token(claims: &str) -> String {
    let base64 = |text: &str| URL_SAFE_NO_PAD.encode(text);
    format!("{}.{}.AAAA", base64(r#"{"alg":"RS256","kid":"key-1","typ":"JWT"}"#), base64(claims))
}

/// Runs `check-login` on a token with these claims.
fn check_login(directory: &ConfigDirectory, claims: &str, arguments: &[&str]) -> (Option<i32>, String) {
    directory.check_config(&[]);
    let file = directory.path("token");
    fs::write(&file, token(claims)).unwrap();
    let config = directory.path("temporary-pin.toml");
    let output = run(&[&["check-login", "--config", &config, &file], arguments].concat(), &[]);
    (output.status.code(), stdout(&output).to_owned())
}

#[test]
fn names_each_check_that_fails_and_the_setting_that_helps() {
    let mut directory = ConfigDirectory::new();
    directory.set("web_login.issuer", "'http://127.0.0.1:9'");
    let claims = format!(
        r#"{{"iss":"http://127.0.0.1:9","aud":"temporary-pin","exp":4102444800,"identityscheme":"dkmitid","loA":"SUBSTANTIAL","uuid":"{UUID}","authenticationinstant":"2026-11-24T12:41:16.345Z"}}"#
    );
    let (code, said) = check_login(&directory, &claims, &[]);
    assert_eq!(code, Some(1), "{said}");
    for words in [
        "FAILS   signature: the issuer's keys cannot be fetched",
        "passes  audience",
        "FAILS   person: person claim",
        "uuid (form \"UUID\")",
        "FAILS   login time: login time",
        "authenticationinstant",
        "FAILS   assurance: assurance",
        "loA (Substantial)",
        "broker = \"idura\" would read these claims",
    ] {
        assert!(said.contains(words), "{words} is not in:\n{said}");
    }
    assert!(!said.contains(UUID) && !said.contains("4102444800"), "{said}");
}

#[test]
fn an_agents_token_is_checked_by_the_settings_for_agents() {
    let mut directory = ConfigDirectory::new();
    directory.set("agent_login.issuer", "'http://127.0.0.1:9'");
    let claims = r#"{"iss":"http://127.0.0.1:9","aud":"other","exp":1,"sub":"clerk-7"}"#;
    let (code, said) = check_login(&directory, claims, &["--agent"]);
    assert_eq!(code, Some(1), "{said}");
    for words in ["[agent_login]", "FAILS   audience", "FAILS   exp", "passes  subject", "FAILS   assurance"] {
        assert!(said.contains(words), "{words} is not in:\n{said}");
    }
    assert!(!said.contains("clerk-7"), "{said}");
    let (_, said) = check_login(&directory, claims, &[]);
    assert!(said.contains("FAILS   issuer: issuer"), "{said}");
}

//! `audit` without a database. `tests/production/audit.rs` runs it beside a service.

use crate::{ConfigDirectory, run, stderr};

fn audit(directory: &ConfigDirectory, arguments: &[&str]) -> std::process::Output {
    run(&[&["audit"], arguments, &["--config", &directory.path("temporary-pin.toml")]].concat(), &[])
}

#[test]
fn an_unavailable_database_is_not_reported_as_tampering() {
    let mut directory = ConfigDirectory::new();
    directory.set("postgres", "{ url = 'postgres://me:hunter2@127.0.0.1:1/nowhere', pool.acquire_timeout = '100ms' }");
    directory.write();
    let output = audit(&directory, &["verify"]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert!(stderr(&output).contains("Postgres is not available"), "{}", stderr(&output));
}

#[test]
fn persons_are_not_named_on_the_command_line() {
    let directory = ConfigDirectory::new();
    directory.write();
    for arguments in [
        &["export"][..],
        &["export", "--cpr-number", "0101011234"],
        &["export", "--mitid-uuid", "5b0b9e2a-0c0f-4b38-8d3e-1f5b1c5f0a77"],
        &["export", "--cpr-number", "-", "--mitid-uuid", "-"],
        &["verify", "--expect-head", "42"],
        &["verify", "--from", "0"],
    ] {
        assert_eq!(audit(&directory, arguments).status.code(), Some(2), "{arguments:?}");
    }
    // Standard input is empty, so there is no CPR number.
    let output = audit(&directory, &["export", "--cpr-number", "-"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("--cpr-number: must be ten digits"), "{}", stderr(&output));
}

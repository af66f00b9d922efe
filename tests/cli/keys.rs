//! The command `keys`, which creates and changes key rings.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use temporary_pin::keys::KeyRing;

use crate::{ConfigDirectory, run, stderr, stdout};

#[test]
fn only_the_owner_can_read_a_new_key_ring_file() {
    let directory = ConfigDirectory::new();
    let file = directory.path("new.toml");
    let output = run(&["keys", "generate", "--out", &file], &[]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(stdout(&output), "", "keys are shown only when asked for");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    KeyRing::load(Path::new(&file)).unwrap();
}

#[test]
fn never_overwrites_a_file() {
    let directory = ConfigDirectory::new();
    let file = directory.path("key-ring.toml");
    let before = fs::read_to_string(&file).unwrap();
    let output = run(&["keys", "generate", "--out", &file], &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains(&format!("cannot make {file}: File exists")), "{}", stderr(&output));
    assert_eq!(fs::read_to_string(&file).unwrap(), before);
}

#[test]
fn prints_a_new_key_ring_each_time() {
    let [first, second] = [(); 2].map(|()| run(&["keys", "generate"], &[]));
    KeyRing::parse(stdout(&first)).unwrap();
    assert_ne!(first.stdout, second.stdout);
}

#[test]
fn adds_and_activates_without_showing_or_losing_a_key() {
    let directory = ConfigDirectory::new();
    let ring = directory.path("key-ring.toml");
    let before = fs::read_to_string(&ring).unwrap();
    let keys = |arguments: &[&str]| {
        let output = run(&[&["keys"], arguments, &["--ring", &ring]].concat(), &[]);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        // A key is longer than 30 characters.
        assert!(stdout(&output).lines().all(|line| line.len() < 30), "a key is shown");
        stdout(&output).to_owned()
    };
    assert_eq!(keys(&["add", "--purpose", "sealing"]), "sealing 2\n");
    assert_eq!(keys(&["add", "--purpose", "audit", "--activate"]), "audit 2 active\n");
    assert_eq!(keys(&["activate", "--purpose", "sealing", "--id", "2"]), "sealing 2 active\n");
    assert_eq!(
        keys(&["list"]),
        "pseudonym 1 active\nverifier 1 active\nsealing 1\nsealing 2 active\naudit 1\naudit 2 active\n"
    );
    let after = fs::read_to_string(&ring).unwrap();
    for key in before.lines().filter(|line| line.starts_with("1 = ")) {
        assert!(after.contains(key));
    }
    assert_eq!(fs::metadata(&ring).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(!fs::exists(format!("{ring}.new")).unwrap());
    assert_eq!(directory.check_config(&[]).status.code(), Some(0));
}

/// A key ring of an older version has no audit key. The error names the command that adds an audit key.
#[test]
fn a_key_for_a_missing_purpose_can_be_added() {
    let directory = ConfigDirectory::new();
    let ring = directory.path("key-ring.toml");
    let text = fs::read_to_string(&ring).unwrap();
    fs::write(&ring, text.split("[audit]").next().unwrap()).unwrap();
    let output = directory.check_config(&[]);
    let advice = "`temporary-pin keys add --ring FILE --purpose audit`";
    assert!(stderr(&output).contains(advice), "{}", stderr(&output));

    let output = run(&["keys", "add", "--ring", &ring, "--purpose", "audit"], &[]);
    assert_eq!(stdout(&output), "audit 1 active\n");
    assert_eq!(directory.check_config(&[]).status.code(), Some(0));
}

#[test]
fn a_command_that_fails_changes_nothing() {
    let directory = ConfigDirectory::new();
    let ring = directory.path("key-ring.toml");
    let before = fs::read_to_string(&ring).unwrap();
    let fails = |arguments: &[&str], words: &str| {
        let output = run(&[&["keys"], arguments, &["--ring", &ring]].concat(), &[]);
        assert_ne!(output.status.code(), Some(0));
        assert!(stderr(&output).contains(words), "{}", stderr(&output));
        assert_eq!(fs::read_to_string(&ring).unwrap(), before);
    };
    fails(&["activate", "--purpose", "sealing", "--id", "2"], "sealing.2: there is no such key");
    fails(&["add", "--purpose", "hashing"], "[possible values: pseudonym, verifier, sealing, audit]");
    fs::write(format!("{ring}.new"), "").unwrap();
    fails(&["add", "--purpose", "sealing"], "if another command that broke off left it, delete it");
}

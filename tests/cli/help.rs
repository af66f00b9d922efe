//! Help, version and errors of the command line.

use crate::{run, stderr, stdout};

#[test]
fn help_names_every_command() {
    let output = run(&["--help"], &[]);
    assert_eq!(output.status.code(), Some(0));
    for word in ["serve", "migrate", "keys", "audit", "check-config", "--config <FILE>", "TEMPORARY_PIN_CONFIG"] {
        assert!(stdout(&output).contains(word), "{word} is not in:\n{}", stdout(&output));
    }
}

#[test]
fn keys_help_explains_what_happens_to_the_file() {
    let output = run(&["keys", "generate", "--help"], &[]);
    assert_eq!(output.status.code(), Some(0));
    for words in ["--out <FILE>", "must not exist", "stdout"] {
        assert!(stdout(&output).contains(words), "{words} is not in:\n{}", stdout(&output));
    }
}

#[test]
fn version_is_the_version_of_the_crate() {
    let output = run(&["--version"], &[]);
    assert_eq!(stdout(&output).trim(), format!("temporary-pin {}", env!("CARGO_PKG_VERSION")));
}

#[test]
fn a_wrong_command_line_ends_with_status_2() {
    for arguments in [&["fly"][..], &["serve", "--fast"], &["keys"], &["keys", "generate", "--out"]] {
        let output = run(arguments, &[]);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(stderr(&output).contains("--help"), "{arguments:?}: {}", stderr(&output));
    }
}

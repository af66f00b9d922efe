//! `keys`: makes and changes the file of the key ring.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use temporary_pin::keys::KeyRing;

use crate::{World, run, stderr, stdout};

#[test]
fn writes_a_key_ring_for_its_owner_only() {
    let world = World::new();
    let file = world.path("new.toml");
    let output = run(&["keys", "generate", "--out", &file], &[]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(stdout(&output), "", "keys are shown only when asked for");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    KeyRing::load(Path::new(&file)).unwrap();
}

#[test]
fn never_overwrites() {
    let world = World::new();
    let file = world.path("key-ring.toml");
    let before = fs::read_to_string(&file).unwrap();
    let output = run(&["keys", "generate", "--out", &file], &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains(&format!("cannot make {file}: File exists")), "{}", stderr(&output));
    assert_eq!(fs::read_to_string(&file).unwrap(), before);
}

#[test]
fn prints_another_key_ring_each_time() {
    let [first, second] = [(); 2].map(|()| run(&["keys", "generate"], &[]));
    KeyRing::parse(stdout(&first)).unwrap();
    assert_ne!(first.stdout, second.stdout);
}

#[test]
fn a_key_is_added_listed_and_activated_and_never_shown() {
    let world = World::new();
    let file = world.path("key-ring.toml");
    let keys = |arguments: &[&str]| {
        let output = run(&[&["keys", arguments[0], "--ring", &file], &arguments[1..]].concat(), &[]);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", stderr(&output));
        stdout(&output).to_owned()
    };
    let listed =
        |sealing: &str| format!("pseudonym: 1 (active)\nverifier: 1 (active)\nsealing: {sealing}\naudit: 1 (active)\n");
    assert_eq!(keys(&["list"]), listed("1 (active)"));
    assert_eq!(keys(&["add", "--purpose", "sealing"]), "sealing.2 is added\n");
    assert_eq!(keys(&["list"]), listed("1 (active), 2"));
    assert_eq!(keys(&["activate", "--purpose", "sealing", "--id", "2"]), "sealing.2 is active\n");
    assert_eq!(keys(&["list"]), listed("1, 2 (active)"));
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    KeyRing::load(Path::new(&file)).unwrap();
    assert!(!fs::exists(world.path("key-ring.new")).unwrap());
}

#[test]
fn what_cannot_be_done_leaves_the_file_as_it_is() {
    let world = World::new();
    let file = world.path("key-ring.toml");
    let before = fs::read_to_string(&file).unwrap();
    let output = run(&["keys", "activate", "--ring", &file, "--purpose", "audit", "--id", "9"], &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("audit.9: there is no such key"), "{}", stderr(&output));
    // Another change is under way, or broke off.
    fs::write(world.path("key-ring.new"), "").unwrap();
    let output = run(&["keys", "add", "--ring", &file, "--purpose", "audit"], &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("the key ring is as it was"), "{}", stderr(&output));
    assert_eq!(fs::read_to_string(&file).unwrap(), before);
}

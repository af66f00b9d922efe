//! `keys generate`.

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

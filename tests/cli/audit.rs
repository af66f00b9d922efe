//! `audit`, where nothing can be read. tests/production/ has it beside a service that runs.

use crate::{World, run, stderr};

fn audit(world: &World, arguments: &[&str]) -> std::process::Output {
    run(&[&["audit"], arguments, &["--config", &world.path("temporary-pin.toml")]].concat(), &[])
}

#[test]
fn a_database_that_is_down_is_no_tampering() {
    let mut world = World::new();
    world.set("postgres", "{ url = 'postgres://me:hunter2@127.0.0.1:1/nowhere', pool.acquire_timeout = '100ms' }");
    world.write();
    let output = audit(&world, &["verify"]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert!(stderr(&output).contains("Postgres is not available"), "{}", stderr(&output));
}

#[test]
fn nobody_is_named_on_the_command_line() {
    let world = World::new();
    world.write();
    for arguments in [
        &["export"][..],
        &["export", "--cpr-number", "0101011234"],
        &["export", "--mitid-uuid", "5b0b9e2a-0c0f-4b38-8d3e-1f5b1c5f0a77"],
        &["export", "--cpr-number", "-", "--mitid-uuid", "-"],
        &["verify", "--expect-head", "42"],
        &["verify", "--from", "0"],
    ] {
        assert_eq!(audit(&world, arguments).status.code(), Some(2), "{arguments:?}");
    }
    // Standard input is empty.
    let output = audit(&world, &["export", "--cpr-number", "-"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("--cpr-number: must be ten digits"), "{}", stderr(&output));
}

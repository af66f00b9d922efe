//! `serve`: begins without its databases, ends cleanly.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use crate::World;

/// `serve` with a database and a Redis that are down.
fn serve(world: &mut World) -> Child {
    world.set("server.address", "'127.0.0.1:0'");
    world.set("server.drain", "'1s'");
    world.set("postgres", "{ url = 'postgres://nobody@127.0.0.1:1/nowhere' }");
    world.set("redis", "{ url = 'redis://127.0.0.1:1', timeout = '100ms' }");
    world.write();
    Command::new(env!("CARGO_BIN_EXE_temporary-pin"))
        .args(["serve", "--config", &world.path("temporary-pin.toml")])
        .env_clear()
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

#[test]
fn ends_with_status_0_when_asked_to() {
    for signal in ["TERM", "INT"] {
        let mut world = World::new();
        let mut server = serve(&mut world);
        let mut lines = BufReader::new(server.stderr.take().unwrap()).lines().map(Result::unwrap);
        let begun: Vec<String> = lines.by_ref().take_while(|line| !line.contains("\"listening\"")).collect();
        assert!(server.try_wait().unwrap().is_none(), "it ended by itself: {begun:#?}");
        Command::new("kill").args(["-s", signal, &server.id().to_string()]).status().unwrap();
        let rest: Vec<String> = lines.collect();
        assert_eq!(server.wait().unwrap().code(), Some(0), "{signal}: {rest:#?}");
    }
}

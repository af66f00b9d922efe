//! `serve` starts without its databases and ends cleanly.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use crate::ConfigDirectory;

/// Runs `serve` while the database and Redis are down.
fn start_serve(directory: &mut ConfigDirectory) -> Child {
    directory.set("server.address", "'127.0.0.1:0'");
    directory.set("server.drain", "'1s'");
    directory.set("postgres", "{ url = 'postgres://nobody@127.0.0.1:1/nowhere' }");
    directory.set("redis", "{ url = 'redis://127.0.0.1:1', timeout = '100ms' }");
    directory.write();
    Command::new(env!("CARGO_BIN_EXE_temporary-pin"))
        .args(["serve", "--config", &directory.path("temporary-pin.toml")])
        .env_clear()
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

#[test]
fn ends_with_status_0_when_asked_to() {
    for signal in ["TERM", "INT"] {
        let mut directory = ConfigDirectory::new();
        let mut server = start_serve(&mut directory);
        let mut lines = BufReader::new(server.stderr.take().unwrap()).lines().map(Result::unwrap);
        let lines_before: Vec<String> = lines.by_ref().take_while(|line| !line.contains("\"listening\"")).collect();
        assert!(server.try_wait().unwrap().is_none(), "it ended by itself: {lines_before:#?}");
        Command::new("kill").args(["-s", signal, &server.id().to_string()]).status().unwrap();
        let rest: Vec<String> = lines.collect();
        assert_eq!(server.wait().unwrap().code(), Some(0), "{signal}: {rest:#?}");
    }
}

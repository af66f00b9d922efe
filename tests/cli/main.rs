//! Tests of the command line: runs the binary and checks its output and exit codes.

#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod audit;
mod bad_config;
mod check_config;
mod check_login;
mod help;
mod keys;
mod migrate;
mod serve;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use rcgen::{CertifiedKey, generate_simple_self_signed};
use uuid::Uuid;

/// A directory with a valid configuration and the files that it names. Dropping it deletes the directory.
struct ConfigDirectory {
    root: PathBuf,
    /// The configuration. Tests change it, then write it.
    config: toml::Table,
}

impl ConfigDirectory {
    fn new() -> Self {
        let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("cli-{}", random_uuid()));
        fs::create_dir(&root).unwrap();
        let path = |name: &str| root.join(name).to_str().unwrap().to_owned();
        let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        fs::write(path("server.pem"), cert.pem()).unwrap();
        fs::write(path("server.key"), signing_key.serialize_pem()).unwrap();
        fs::write(path("postgres-url"), "postgres://me:hunter2@db.example/temporary_pin\n").unwrap();
        fs::write(path("redis-url"), "redis://:hunter2@redis.example\n").unwrap();
        fs::write(path("sms-token"), "hunter2\n").unwrap();
        let made = run(&["keys", "generate", "--out", &path("key-ring.toml")], &[]);
        assert_eq!(made.status.code(), Some(0), "{}", stderr(&made));
        let config = format!(
            "
            server.tls = {{ certificate = '{certificate}', key = '{key}', client_ca = '{certificate}' }}
            postgres.url_file = '{postgres}'
            redis.url_file = '{redis}'
            register.url = 'http://127.0.0.1:50052'
            web_login = {{ issuer = 'https://login.example', audience = 'temporary-pin' }}
            agent_login = {{ issuer = 'https://workforce.example', audience = 'temporary-pin' }}
            sms.gateway = {{ url = 'https://gateway.example/rest/mtsms', token_file = '{token}' }}
            keys.file = '{keys}'
            [[callers]]
            name = 'profile-page'
            sans = ['spiffe://example.dk/profile-page']
            roles = ['channel:web']
            ",
            certificate = path("server.pem"),
            key = path("server.key"),
            postgres = path("postgres-url"),
            redis = path("redis-url"),
            token = path("sms-token"),
            keys = path("key-ring.toml"),
        );
        Self { config: toml::from_str(&config).unwrap(), root }
    }

    fn path(&self, name: &str) -> String {
        self.root.join(name).to_str().unwrap().to_owned()
    }

    /// Sets a key, such as `server.address`, to a TOML value.
    fn set(&mut self, key: &str, value: &str) {
        let value = toml::from_str::<toml::Table>(&format!("value = {value}")).unwrap().remove("value").unwrap();
        let (sections, key) = key.rsplit_once('.').unwrap_or(("", key));
        let mut table = &mut self.config;
        for section in sections.split('.').filter(|section| !section.is_empty()) {
            let section = table.entry(section).or_insert_with(|| toml::Table::new().into());
            table = section.as_table_mut().unwrap();
        }
        table.insert(key.to_owned(), value);
    }

    /// Writes the configuration to `temporary-pin.toml`.
    fn write(&self) {
        fs::write(self.path("temporary-pin.toml"), self.config.to_string()).unwrap();
    }

    /// Writes the configuration and runs `check-config` on it.
    fn check_config(&self, environment: &[(&str, &str)]) -> Output {
        self.write();
        run(&["check-config", "--config", &self.path("temporary-pin.toml")], environment)
    }
}

impl Drop for ConfigDirectory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.root);
    }
}

/// Runs the binary with exactly these environment variables.
fn run(arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_temporary-pin"))
        .args(arguments)
        .env_clear()
        .envs(environment.iter().copied())
        .output()
        .unwrap()
}

fn stdout(output: &Output) -> &str {
    str::from_utf8(&output.stdout).unwrap()
}

fn stderr(output: &Output) -> &str {
    str::from_utf8(&output.stderr).unwrap()
}

fn random_uuid() -> Uuid {
    let mut bytes = [0; 16];
    rand::Rng::fill_bytes(&mut temporary_pin::random::secure(), &mut bytes);
    uuid::Builder::from_random_bytes(bytes).into_uuid()
}

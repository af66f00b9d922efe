//! The real binary, installed as in production: with mutual TLS, a key ring, its own database and roles, and its own prefix
//! of Redis keys. It uses the identity register, the issuers, the SMS gateway and the phones of a sandbox.

use std::ffi::OsString;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use made_up_world::authority::{Authority, SignedCertificate};
use made_up_world::configuration::Configuration;
use made_up_world::database::{ScratchDatabase, delete_redis_keys};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use temporary_pin::config::Config;

use crate::callers::CALLERS;
use crate::process::Process;
use crate::programs;
use crate::sandbox::Sandbox;
use crate::{database_server_url, redis_url, unique};

/// The password of the database's roles. Tests look for it in logs and messages.
const PASSWORD: &str = "database-password";

pub struct Installation {
    directory: PathBuf,
    /// The name of the database, and the prefix of the Redis keys.
    pub name: String,
    database: ScratchDatabase,
    pub authority: Authority,
    environment: Vec<(String, String)>,
}

impl Installation {
    /// Installs everything that an operator has to install.
    pub async fn new(sandbox: &Sandbox) -> Self {
        let installation = Self::without_tables_and_keys(sandbox).await;
        let key_ring = installation.path("keys.toml");
        installation.run(&["keys", "generate", "--out", &key_ring]);
        installation.migrate();
        installation
    }

    /// Runs the migrations as the owner of the tables.
    pub fn migrate(&self) {
        let output = self.output_as_owner(&["migrate"]);
        assert!(output.status.success(), "{output:?}");
    }

    /// Runs a command as the owner of the tables.
    pub fn output_as_owner(&self, arguments: &[&str]) -> Output {
        let mut command = self.command(arguments);
        command.env("TEMPORARY_PIN__POSTGRES__URL", self.url_as_owner());
        command.env("TEMPORARY_PIN__POSTGRES__SERVICE_ROLE", self.database.service_role());
        command.output().unwrap()
    }

    /// The part of an installation that older releases of the service can use as well.
    pub async fn without_tables_and_keys(sandbox: &Sandbox) -> Self {
        let name = unique("production").replace('-', "_");
        let directory = std::env::temp_dir().join(&name);
        fs::create_dir(&directory).unwrap();
        let database = ScratchDatabase::create(&database_server_url(), &name, PASSWORD).await.unwrap();
        let authority = Authority::new();
        let mut installation = Self { directory, name, database, authority, environment: Vec::new() };
        installation.write_files(sandbox).await;
        installation.set("REDIS__URL", redis_url());
        installation.set("POSTGRES__URL", installation.url_as_service());
        installation
    }

    /// The database's URL as the owner of the tables.
    pub fn url_as_owner(&self) -> String {
        self.database.owner_url().unwrap()
    }

    /// The database's URL as the service.
    pub fn url_as_service(&self) -> String {
        self.database.service_url().unwrap()
    }

    async fn write_files(&self, sandbox: &Sandbox) {
        self.write("client-ca.pem", self.authority.pem());
        self.write_server(&self.authority.sign(&["localhost"]));
        let http = &sandbox.http_url;
        let register = sandbox.get("/register").await;
        let url = register["url"].as_str().unwrap();
        let gateway = sandbox.get("/gateway").await;
        let gateway_url = gateway["url"].as_str().unwrap();
        let mut configuration = Configuration::new(http, url, gateway_url, &self.directory, "client-ca.pem");
        configuration.set("server.address", "127.0.0.1:0");
        configuration.set("redis.key_prefix", self.name.as_str());
        for (name, sans, roles) in CALLERS {
            configuration.add_caller(name, sans, roles);
        }
        fs::write(self.path("temporary-pin.toml"), configuration.to_toml()).unwrap();
    }

    /// Overrides a key of the configuration, such as `SERVER__DRAIN`.
    pub fn set(&mut self, key: &str, value: impl Into<String>) {
        self.environment.push((format!("TEMPORARY_PIN__{key}"), value.into()));
    }

    /// Writes the server's certificate and its key.
    pub fn write_server(&self, server: &SignedCertificate) {
        self.write("server.pem", &server.certificate);
        self.write("server.key", &server.key);
    }

    /// Writes a file of the installation in one step, so that the service never reads half of it.
    pub fn write(&self, name: &str, content: &str) {
        let new = self.path("new");
        fs::write(&new, content).unwrap();
        fs::rename(new, self.path(name)).unwrap();
    }

    /// Reads a file of the installation.
    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// Starts the service and waits until it serves.
    pub async fn start(&self) -> Process<'_> {
        let process = self.start_listening();
        process.wait_until_serving().await;
        process
    }

    /// Starts the service and waits until it listens.
    pub fn start_listening(&self) -> Process<'_> {
        let mut command = self.command(&["serve"]);
        command.env("RUST_LOG", "info");
        Process::start(command, &self.authority)
    }

    /// The configuration that the service reads.
    pub fn config(&self) -> Config {
        let environment = self.environment.iter().map(|(key, value)| (OsString::from(key), OsString::from(value)));
        Config::load(Some(Path::new(&self.path("temporary-pin.toml"))), environment).unwrap()
    }

    /// The database's URL as the superuser.
    pub fn database_url(&self) -> String {
        self.database.url().unwrap().into()
    }

    /// Counts the rows of a table, or of `table WHERE condition`.
    pub async fn count(&self, table: &'static str) -> i64 {
        let mut database = PgConnection::connect(&self.database_url()).await.unwrap();
        let count = AssertSqlSafe(format!("SELECT count(*) FROM {table}"));
        sqlx::query_scalar(count).fetch_one(&mut database).await.unwrap()
    }

    /// Executes a statement as the superuser.
    pub async fn execute(&self, statement: &'static str) {
        let mut database = PgConnection::connect(&self.database_url()).await.unwrap();
        sqlx::raw_sql(statement).execute(&mut database).await.unwrap();
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(programs::service());
        command.env_clear().args(arguments).args(["--config", &self.path("temporary-pin.toml")]);
        command.envs(self.environment.iter().map(|(key, value)| (key, value)));
        command
    }

    /// Runs a command with `input` on its standard input. Returns its exit status, stdout and stderr.
    pub fn output(&self, arguments: &[&str], input: &str) -> (Option<i32>, String, String) {
        let mut command = self.command(arguments);
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        process.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = process.wait_with_output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout), text(output.stderr))
    }

    pub fn run(&self, arguments: &[&str]) {
        let output = self.command(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {output:?}");
    }

    pub fn path(&self, name: &str) -> String {
        self.directory.join(name).to_str().unwrap().to_owned()
    }
}

/// Removes the database and the Redis keys. Blocks.
fn remove(database: &ScratchDatabase) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(database.drop()).unwrap();
    runtime.block_on(delete_redis_keys(&redis_url(), database.name())).unwrap();
}

impl Drop for Installation {
    fn drop(&mut self) {
        // In a separate thread, because a thread of the test's runtime must not block.
        let _ = std::thread::scope(|scope| scope.spawn(|| remove(&self.database)).join());
        let _ = fs::remove_dir_all(&self.directory);
    }
}

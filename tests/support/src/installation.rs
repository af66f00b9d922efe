//! The real binary, installed as in production: mutual TLS, a key ring, a database with its two roles and a key prefix of its
//! own. Around it
//! the world of a sandbox: its identity register, issuers, SMS gateway and phones.

use std::ffi::OsString;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use made_up_world::authority::{Authority, SignedCertificate};
use made_up_world::configuration::Configuration;
use redis::Commands as _;
use reqwest::Url;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use temporary_pin::config::Config;
use temporary_pin::store::rights::substitute_names;

use crate::process::Process;
use crate::programs;
use crate::sandbox::Sandbox;
use crate::{redis_url, unique};

/// The callers, each with the names in its certificates and its roles.
pub const CALLERS: [(&str, &[&str], &[&str]); 6] = [
    ("web", &["spiffe://example.dk/profile-page"], &["channel:web"]),
    ("phone", &["support.example.dk"], &["channel:phone"]),
    ("counter", &["spiffe://example.dk/counter-1", "counter-2.example.dk"], &["channel:counter"]),
    ("redeemer", &["spiffe://example.dk/authenticator"], &["redeemer"]),
    ("operator", &["spiffe://example.dk/operator"], &["operator"]),
    ("both", &["both.example.dk"], &["channel:phone", "redeemer"]),
];

pub struct Installation {
    directory: PathBuf,
    /// Of the database, and before each Redis key.
    pub name: String,
    pub authority: Authority,
    environment: Vec<(String, String)>,
}

impl Installation {
    /// Makes everything that an operator has to make.
    pub async fn new(sandbox: &Sandbox) -> Self {
        let installation = Self::without_tables_and_keys(sandbox).await;
        let key_ring = installation.path("keys.toml");
        installation.run(&["keys", "generate", "--out", &key_ring]);
        installation.migrate();
        installation
    }

    /// Brings the schema up to date, as its owner.
    pub fn migrate(&self) {
        let output = self.output_as_owner(&["migrate"]);
        assert!(output.status.success(), "{output:?}");
    }

    /// Runs a command as the owner of the tables.
    pub fn output_as_owner(&self, arguments: &[&str]) -> Output {
        let mut command = self.command(arguments);
        command.env("TEMPORARY_PIN__POSTGRES__URL", self.url_as_owner());
        command.env("TEMPORARY_PIN__POSTGRES__SERVICE_ROLE", format!("{}_service", self.name));
        command.output().unwrap()
    }

    /// What is the same in every version.
    pub async fn without_tables_and_keys(sandbox: &Sandbox) -> Self {
        let name = unique("production").replace('-', "_");
        let directory = std::env::temp_dir().join(&name);
        fs::create_dir(&directory).unwrap();
        let mut installation = Self { directory, name, authority: Authority::new(), environment: Vec::new() };
        installation.write_files(sandbox).await;
        installation.set("REDIS__URL", redis_url());
        run_sql(format!("CREATE DATABASE {}", installation.name)).await;
        installation.make_roles().await;
        installation.set("POSTGRES__URL", installation.url_as_service());
        installation
    }

    /// As an operator would.
    async fn make_roles(&self) {
        let [owner, service] = ["owner", "service"].map(|role| format!("{}_{role}", self.name));
        let roles = include_str!("../../../deploy/postgres/roles.sql");
        let mut sql = substitute_names(roles, &[("database", &self.name), ("owner", &owner), ("service", &service)]);
        for role in [&owner, &service] {
            sql += &format!("ALTER ROLE {role} PASSWORD 'hunter2';");
        }
        let mut database = PgConnection::connect(&self.database_url()).await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut database).await.unwrap();
    }

    /// The database's URL as the owner of the tables.
    pub fn url_as_owner(&self) -> String {
        self.url_as(&format!("{}_owner", self.name))
    }

    /// The database's URL as the service.
    pub fn url_as_service(&self) -> String {
        self.url_as(&format!("{}_service", self.name))
    }

    fn url_as(&self, role: &str) -> String {
        let mut url = Url::parse(&self.database_url()).unwrap();
        url.set_username(role).unwrap();
        url.set_password(Some("hunter2")).unwrap();
        url.into()
    }

    async fn write_files(&self, sandbox: &Sandbox) {
        self.write("client-ca.pem", self.authority.pem());
        self.write_server(&self.authority.sign(&["localhost"]));
        let http = &sandbox.http_url;
        let register = sandbox.get("/register").await;
        let url = register["url"].as_str().unwrap();
        let mut configuration = Configuration::new(http, url, &self.directory, "client-ca.pem");
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

    /// Writes one of its files, at once: nobody sees half of it.
    pub fn write(&self, name: &str, content: &str) {
        let new = self.path("new");
        fs::write(&new, content).unwrap();
        fs::rename(new, self.path(name)).unwrap();
    }

    /// What one of its files holds.
    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// Starts the service and waits until it serves.
    pub async fn start(&self) -> Process<'_> {
        let process = self.start_listening();
        process.until_serving().await;
        process
    }

    /// Starts the service and waits until it listens.
    pub fn start_listening(&self) -> Process<'_> {
        let mut command = self.command(&["serve"]);
        command.env("RUST_LOG", "info");
        Process::start(command, &self.authority)
    }

    /// The configuration that the process gets.
    pub fn config(&self) -> Config {
        let environment = self.environment.iter().map(|(key, value)| (OsString::from(key), OsString::from(value)));
        Config::load(Some(Path::new(&self.path("temporary-pin.toml"))), environment).unwrap()
    }

    /// Of the superuser who made the database.
    pub fn database_url(&self) -> String {
        let mut url = Url::parse(&std::env::var("DATABASE_URL").expect("DATABASE_URL must name a Postgres")).unwrap();
        url.set_path(&self.name);
        url.into()
    }

    /// How many rows a table has, or how many of them `table WHERE condition` names.
    pub async fn count(&self, table: &'static str) -> i64 {
        let mut database = PgConnection::connect(&self.database_url()).await.unwrap();
        let count = AssertSqlSafe(format!("SELECT count(*) FROM {table}"));
        sqlx::query_scalar(count).fetch_one(&mut database).await.unwrap()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(programs::service());
        command.env_clear().args(arguments).args(["--config", &self.path("temporary-pin.toml")]);
        command.envs(self.environment.iter().map(|(key, value)| (key, value)));
        command
    }

    /// Runs a command with that on its standard input: its status, what it says on stdout, and on stderr.
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

async fn run_sql(statement: String) {
    let mut server = PgConnection::connect(&std::env::var("DATABASE_URL").unwrap()).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut server).await.unwrap();
}

impl Drop for Installation {
    fn drop(&mut self) {
        let name = self.name.clone();
        // A thread of its own, because nobody can be waited for on a runtime's.
        let clear = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(run_sql(format!("DROP DATABASE {name} WITH (FORCE)")));
            runtime.block_on(run_sql(format!("DROP ROLE IF EXISTS {name}_owner, {name}_service")));
            let mut redis = redis::Client::open(redis_url()).unwrap().get_connection().unwrap();
            let keys: Vec<String> = redis.scan_match(format!("{name}*")).unwrap().map(Result::unwrap).collect();
            if !keys.is_empty() {
                redis.unlink::<_, ()>(keys).unwrap();
            }
        });
        let _ = clear.join();
        let _ = fs::remove_dir_all(&self.directory);
    }
}

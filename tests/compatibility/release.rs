//! Installs the newest release as the release's own manual says. Review this file after each release.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use made_up_world::authority::Authority;
use test_support::callers::CALLERS;
use test_support::installation::Installation;
use test_support::process::Process;
use test_support::redis_url;
use test_support::sandbox::Sandbox;

/// The program of release 0.1.0 and its configuration.
pub(crate) struct Release {
    program: PathBuf,
    config: String,
    pub(crate) key_ring: String,
}

impl Release {
    /// Makes the tables and the keys of the release in the directory of `installation`.
    pub(crate) async fn install(installation: &Installation, sandbox: &Sandbox) -> Self {
        let program = std::env::var_os("RELEASE_BINARY").expect("deploy/local/compatibility sets it");
        let path = |name| installation.path(name);
        let release =
            Self { program: program.into(), config: path("release.toml"), key_ring: path("release-keys.toml") };
        let http = &sandbox.http_url;
        let register = sandbox.get("/register").await;
        let gateway = sandbox.get("/gateway").await;
        let mut config = format!(
            "
            server.address = '127.0.0.1:0'
            server.tls = {{ certificate = '{certificate}', key = '{key}', client_ca = '{client_ca}' }}
            postgres.url = '{postgres}'
            redis.url = '{redis}'
            redis.key_prefix = '{name}'
            register.url = {register}
            web_login = {{ issuer = '{http}/issuers/web', audience = 'temporary-pin-web' }}
            agent_login = {{ issuer = '{http}/issuers/workforce', audience = 'temporary-pin-workforce' }}
            sms.gateway = {{ url = {gateway_url}, token = 'sandbox-gateway-token' }}
            sms.dispatcher.retry_delay_limit = '1s'
            keys.file = '{keys}'
            rules.hold.wait = '8s'
            rules.pin.resend_interval = '1s'
            ",
            certificate = path("server.pem"),
            key = path("server.key"),
            client_ca = path("client-ca.pem"),
            postgres = installation.url_as_owner(),
            redis = redis_url(),
            name = installation.name,
            register = register["url"],
            gateway_url = gateway["url"],
            keys = release.key_ring,
        );
        for (name, sans, roles) in CALLERS {
            config += &format!("[[callers]]\nname = '{name}'\nsans = {sans:?}\nroles = {roles:?}\n");
        }
        fs::write(&release.config, config).unwrap();
        release.run(&["keys", "generate", "--out", &release.key_ring]);
        release.run(&["migrate"]);
        release
    }

    /// Starts the release and waits until it serves.
    pub(crate) async fn start<'a>(&self, authority: &'a Authority) -> Process<'a> {
        let mut command = self.command(&["serve"]);
        command.env("RUST_LOG", "info");
        let process = Process::start(command, authority);
        process.wait_until_serving().await;
        process
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.env_clear().args(arguments).args(["--config", &self.config]);
        command
    }

    fn run(&self, arguments: &[&str]) {
        let output = self.command(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {output:?}");
    }
}

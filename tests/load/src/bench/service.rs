//! Starts programs for the bench, and makes their databases.

use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use made_up_world::database::{run_sql, url_of};
use tokio::net::TcpStream;

/// Makes a database on the server of `server_url`, replaces that of an earlier run, and gives its URL.
pub(super) async fn create_database(server_url: &str, name: &str) -> anyhow::Result<String> {
    run_sql(server_url, format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await?;
    run_sql(server_url, format!("CREATE DATABASE {name}")).await?;
    Ok(url_of(server_url, name)?.into())
}

/// Makes the key ring and the tables of an installation.
pub(super) fn prepare(service: &Path, directory: &Path) -> anyhow::Result<()> {
    let keys = directory.join("keys.toml").display().to_string();
    let config = directory.join("temporary-pin.toml").display().to_string();
    for arguments in [vec!["keys", "generate", "--out", &keys], vec!["migrate", "--config", &config]] {
        let status = Command::new(service).args(&arguments).stdout(Stdio::null()).status()?;
        ensure!(status.success(), "{} {} failed", service.display(), arguments.join(" "));
    }
    Ok(())
}

/// The port of the bare tonic service.
const BARE_PORT: u16 = 15063;

/// How often and for how long a start is checked.
const MAX_CHECKS: u32 = 200;
const CHECK_INTERVAL: Duration = Duration::from_millis(50);

/// A program that serves until this is dropped.
pub(super) struct Running {
    name: &'static str,
    process: Child,
}

impl Running {
    /// Starts the service and waits until it listens on `port`, which its configuration names.
    pub(super) async fn start(service: &Path, directory: &Path, port: u16) -> anyhow::Result<Self> {
        Self::launch(service, directory)?.listening(port).await
    }

    /// Starts the service without waiting.
    pub(super) fn launch(service: &Path, directory: &Path) -> anyhow::Result<Self> {
        let mut command = Command::new(service);
        command.arg("serve").arg("--config").arg(directory.join("temporary-pin.toml"));
        Self::spawn(command, directory, "service")
    }

    /// Starts the bare tonic service, which is this program, and waits until it listens.
    pub(super) async fn bare(directory: &Path) -> anyhow::Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("bare").arg("--certificates").arg(directory);
        Self::spawn(command, directory, "bare")?.listening(BARE_PORT).await
    }

    /// Starts a program. Its log is NAME.log in `directory`.
    pub(super) fn spawn(mut command: Command, directory: &Path, name: &'static str) -> anyhow::Result<Self> {
        let log = File::create(directory.join(format!("{name}.log")))?;
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        Ok(Self { name, process: command.spawn().with_context(|| format!("cannot start {name}"))? })
    }

    /// Waits until the program listens on that port.
    pub(super) async fn listening(mut self, port: u16) -> anyhow::Result<Self> {
        for _ in 0..MAX_CHECKS {
            tokio::time::sleep(CHECK_INTERVAL).await;
            self.ensure_runs()?;
            if TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
                return Ok(self);
            }
        }
        bail!("{} does not listen on port {port}", self.name)
    }

    /// Fails if the program has ended.
    pub(super) fn ensure_runs(&mut self) -> anyhow::Result<()> {
        let name = self.name;
        ensure!(self.process.try_wait()?.is_none(), "{name} ended: its log is {name}.log in the run's directory");
        Ok(())
    }

    pub(super) fn pid(&self) -> u32 {
        self.process.id()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

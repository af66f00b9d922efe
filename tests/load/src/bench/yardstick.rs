//! Runs fixed statements with pgbench, in a database of their own with durable commits. They do not change when the service's
//! statements change: the four writes that issuing a PIN needs at least, and the insert of one row.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use sqlx::{Connection as _, PgConnection};
use tokio::process::Command;

use super::arguments::BenchArguments;
use super::limits::YardstickResult;
use super::service;
use crate::process::ProcessTree;

const TABLES: &str = include_str!("yardstick/tables.sql");

/// A fixed statement.
#[derive(Clone, Copy)]
pub(super) enum Statement {
    /// Ends the open request of a subject, and inserts a request, a message of 200 bytes and an audit event. The subjects
    /// that the script picks have no open request.
    FourWrites,
    /// Inserts a row of 200 bytes.
    OneRow,
}

impl Statement {
    const fn script(self) -> (&'static str, &'static str) {
        match self {
            Self::FourWrites => ("four_writes.pgbench", include_str!("yardstick/four_writes.pgbench")),
            Self::OneRow => ("one_row.pgbench", include_str!("yardstick/one_row.pgbench")),
        }
    }
}

/// The variables of the scripts. A script picks its subject at random from a range so large that repeats are rare.
fn script_variables() -> [String; 4] {
    let (mac, text) = ("ab".repeat(32), "cd".repeat(200));
    ["lo=1000000000".to_owned(), "span=1000000000".to_owned(), format!("mac={mac}"), format!("ct={text}")]
}

/// pgbench with the statements.
pub(super) struct Yardstick {
    pgbench: PathBuf,
    directory: PathBuf,
    url: String,
    postgres: Option<ProcessTree>,
}

impl Yardstick {
    pub(super) async fn prepare(bench: &BenchArguments) -> anyhow::Result<Self> {
        let url = service::create_database(&bench.database_url, "bench_yardstick").await?;
        let mut connection = PgConnection::connect(&url).await?;
        for sql in [TABLES, "VACUUM ANALYZE"] {
            sqlx::raw_sql(sql).execute(&mut connection).await?;
        }
        connection.close().await?;
        for statement in [Statement::FourWrites, Statement::OneRow] {
            let (name, text) = statement.script();
            fs::write(bench.directory.join(name), text)?;
        }
        Ok(Self {
            pgbench: bench.pgbench.clone(),
            directory: bench.directory.clone(),
            url,
            postgres: bench.processes.postgres_pid.map(ProcessTree),
        })
    }

    /// Runs the statement about `count` times with that many clients.
    pub(super) async fn run(&self, statement: Statement, clients: u16, count: u64) -> anyhow::Result<YardstickResult> {
        let each = count / u64::from(clients);
        let total = each * u64::from(clients);
        let before = self.postgres.map(ProcessTree::cpu_time);
        let log = self.directory.join("pgbench");
        let output = Command::new(&self.pgbench)
            .args(["-n", "-M", "prepared", "-c", &clients.to_string(), "-j", &clients.min(2).to_string()])
            .args(["-t", &each.to_string()])
            .args(script_variables().iter().flat_map(|variable| ["-D", variable]))
            .args(["-l", "--log-prefix"])
            .arg(&log)
            .arg("-f")
            .arg(self.directory.join(statement.script().0))
            .arg(&self.url)
            .output()
            .await
            .context("cannot run pgbench")?;
        ensure!(output.status.success(), "pgbench failed: {}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8_lossy(&output.stdout);
        let rate = text
            .lines()
            .find_map(|line| line.strip_prefix("tps = ")?.split(' ').next()?.parse().ok())
            .context("pgbench printed no rate")?;
        let used = before.zip(self.postgres).map(|(before, tree)| tree.cpu_time().saturating_sub(before));
        let mut latencies = take_latencies(&log)?;
        latencies.sort_by(f64::total_cmp);
        let at =
            |quantile: f64| latencies.get((latencies.len() as f64 * quantile) as usize).copied().unwrap_or_default();
        Ok(YardstickResult {
            clients,
            per_second: rate,
            p50_ms: at(0.5),
            p99_ms: at(0.99),
            server_cpu_us: used.map(|used| used.as_secs_f64() * 1e6 / total as f64),
        })
    }
}

/// Reads the milliseconds of every transaction from pgbench's logs, and deletes the logs.
fn take_latencies(prefix: &Path) -> anyhow::Result<Vec<f64>> {
    let directory = prefix.parent().context("the log has a directory")?;
    let mut latencies = Vec::new();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        let is_log = |name: &str| name.starts_with("pgbench.");
        if path.file_name().and_then(|name| name.to_str()).is_some_and(is_log) {
            let log = fs::read_to_string(&path)?;
            let microseconds = log.lines().filter_map(|line| line.split(' ').nth(2)?.parse::<f64>().ok());
            latencies.extend(microseconds.map(|microseconds| microseconds / 1000.0));
            fs::remove_file(&path)?;
        }
    }
    Ok(latencies)
}

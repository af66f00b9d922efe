//! Runs the statement of IssueTemporaryPin with pgbench, in a database of its own without a dispatcher.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context as _, ensure};
use sqlx::postgres::PgPool;
use tokio::process::Command;

use super::arguments::BenchArguments;
use super::limits::Limit;
use super::round::IN_FLIGHT;
use super::service;
use crate::installation::Install;
use crate::process::Tree;

/// The statement of the service.
const SQL: &str = include_str!("../../../../src/store/issuing/issue_temporary_pin.sql");

/// The values of its parameters, `$1` first. `:n` differs for each run.
const PARAMETERS: [&str; 26] = [
    "ARRAY['bench']",
    "ARRAY[('10000000-0000-0000-0000-' || lpad(to_hex(:n::bigint), 12, '0'))::uuid]",
    "ARRAY[decode(lpad(to_hex(:n::bigint), 64, '0'), 'hex')]",
    "ARRAY[('20000000-0000-0000-0000-' || lpad(to_hex(:n::bigint), 12, '0'))::uuid]",
    "ARRAY[decode(md5(:n::text) || md5(:n::text), 'hex')]",
    "ARRAY[decode(md5('m' || :n::text) || md5(:n::text), 'hex')]",
    "ARRAY['counter']",
    "ARRAY[decode(repeat('aa', 32), 'hex')]",
    "ARRAY[now()]",
    "ARRAY[('30000000-0000-0000-0000-' || lpad(to_hex(:n::bigint), 12, '0'))::uuid]",
    "ARRAY[now() + interval '10 minutes']",
    "ARRAY['+45 ******78']",
    "ARRAY[('40000000-0000-0000-0000-' || lpad(to_hex(:n::bigint), 12, '0'))::uuid]",
    "ARRAY[true]",
    "ARRAY[1]",
    "ARRAY[decode(repeat('ab', 16), 'hex')]",
    "ARRAY[decode(repeat('cd', 32), 'hex')]",
    "ARRAY[decode(repeat('ef', 220), 'hex')]",
    "ARRAY[1]",
    "ARRAY[decode(md5(:n::text) || md5(:n::text), 'hex')]",
    "interval '60 seconds'",
    "3",
    "interval '24 hours'",
    "3",
    "interval '24 hours'",
    "5",
];

/// Inserts the verifications for the runs.
const FILL: &str = "
INSERT INTO verifications (id, person_key, channel, caller, method, state, create_time, expire_time)
SELECT ('20000000-0000-0000-0000-' || lpad(to_hex(n), 12, '0'))::uuid, decode(md5(n::text) || md5(n::text), 'hex'), 'counter', 'bench', 'witness',
    'verified', now(), now() + interval '2 hours'
FROM generate_series($1::bigint, $2::bigint) AS n";

/// Runs before measuring.
const WARM_UP_RUNS: u64 = 4000;

/// pgbench with the statement.
pub(super) struct StatementBench {
    pgbench: PathBuf,
    script: PathBuf,
    url: String,
    pool: PgPool,
    next: AtomicU64,
    postgres: Option<Tree>,
}

impl StatementBench {
    pub(super) async fn prepare(bench: &BenchArguments, install: &Install) -> anyhow::Result<Self> {
        let url = service::create_database(&bench.database_url, "bench_statement").await?;
        let pool = temporary_pin::store::connect(&url, &temporary_pin::store::PoolSettings::default())?;
        temporary_pin::store::migrate(&pool).await?;
        let script = install.directory.join("issue.pgbench");
        fs::write(&script, script_text())?;
        let postgres = bench.processes.postgres_pid.map(Tree);
        let statement = Self { pgbench: bench.pgbench.clone(), script, url, pool, next: AtomicU64::new(1), postgres };
        // Postgres plans differently while the tables are nearly empty.
        statement.run(IN_FLIGHT, WARM_UP_RUNS).await?;
        Ok(statement)
    }

    /// Runs the statement about `count` times with that many clients.
    pub(super) async fn run(&self, clients: u16, count: u64) -> anyhow::Result<Limit> {
        let each = count / u64::from(clients);
        let total = each * u64::from(clients);
        let first = self.next.fetch_add(total, Ordering::Relaxed);
        let (from, to) = (i64::try_from(first)?, i64::try_from(first + total)? - 1);
        sqlx::query(FILL).bind(from).bind(to).execute(&self.pool).await?;
        sqlx::raw_sql("ANALYZE verifications, pin_requests, requests, outbox; CHECKPOINT").execute(&self.pool).await?;

        let before = self.postgres.map(Tree::cpu_time);
        let log = self.script.with_file_name("pgbench");
        // The planner settings of the service.
        let settings =
            temporary_pin::store::PLANNER_SETTINGS.map(|(name, value)| format!("-c {name}={value}")).join(" ");
        let output = Command::new(&self.pgbench)
            .env("PGOPTIONS", settings)
            .args(["-n", "-M", "prepared", "-c", &clients.to_string(), "-j", &clients.min(2).to_string()])
            .args(["-t", &each.to_string(), "-D", &format!("base={first}"), "-D", &format!("each={each}"), "-D", "i=0"])
            .args(["-l", "--log-prefix"])
            .arg(&log)
            .arg("-f")
            .arg(&self.script)
            .arg(&self.url)
            .output()
            .await
            .context("cannot run pgbench")?;
        ensure!(output.status.success(), "pgbench failed: {}", String::from_utf8_lossy(&output.stderr));
        let issued = self.issued(from, to).await?;
        ensure!(issued == total, "the statement issued {issued} of {total} PINs");
        let text = String::from_utf8_lossy(&output.stdout);
        let rate = text
            .lines()
            .find_map(|line| line.strip_prefix("tps = ")?.split(' ').next()?.parse().ok())
            .context("pgbench says no rate")?;
        let used = before.zip(self.postgres).map(|(before, tree)| tree.cpu_time().saturating_sub(before));
        let mut latencies = latencies(&log)?;
        latencies.sort_by(f64::total_cmp);
        let at =
            |quantile: f64| latencies.get((latencies.len() as f64 * quantile) as usize).copied().unwrap_or_default();
        Ok(Limit {
            clients,
            per_second: rate,
            p50_ms: at(0.5),
            p99_ms: at(0.99),
            server_cpu_us: used.map(|used| used.as_secs_f64() * 1e6 / total as f64),
        })
    }

    /// Counts the PINs of these runs. A statement that refuses them would be fast, and measure nothing.
    async fn issued(&self, from: i64, to: i64) -> anyhow::Result<u64> {
        let count: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM pin_requests JOIN generate_series($1::bigint, $2::bigint) AS n
                ON id = ('30000000-0000-0000-0000-' || lpad(to_hex(n), 12, '0'))::uuid",
        )
        .bind(from)
        .bind(to)
        .fetch_one(&self.pool)
        .await?;
        Ok(count.unsigned_abs())
    }
}

fn script_text() -> String {
    // From the last one, because $10 begins with $1.
    let sql = PARAMETERS
        .iter()
        .enumerate()
        .rev()
        .fold(SQL.to_owned(), |sql, (index, value)| sql.replace(&format!("${}", index + 1), value));
    format!("\\set n :base + :client_id * :each + :i\n\\set i :i + 1\n{sql};\n")
}

/// Reads the milliseconds of every transaction from pgbench's logs, and deletes the logs.
fn latencies(prefix: &std::path::Path) -> anyhow::Result<Vec<f64>> {
    let directory = prefix.parent().context("the log has a directory")?;
    let mut latencies = Vec::new();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with("pgbench.")) {
            let log = fs::read_to_string(&path)?;
            let microseconds = log.lines().filter_map(|line| line.split(' ').nth(2)?.parse::<f64>().ok());
            latencies.extend(microseconds.map(|microseconds| microseconds / 1000.0));
            fs::remove_file(&path)?;
        }
    }
    Ok(latencies)
}

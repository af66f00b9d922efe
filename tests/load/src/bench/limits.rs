//! The measurements of pgbench and redis-benchmark.

use anyhow::{Context as _, ensure};
use redis::Script;
use reqwest::Url;
use serde::Serialize;
use tokio::process::Command;

use super::arguments::BenchArguments;
use crate::process::ProcessTree;

#[derive(Clone, Debug, Serialize)]
pub(crate) struct YardstickResult {
    /// Concurrent clients.
    pub(crate) clients: u16,
    pub(crate) per_second: f64,
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
    /// CPU time of the server per operation, in microseconds.
    pub(crate) server_cpu_us: Option<f64>,
}

const SCRIPT_CALLS: u32 = 50_000;

/// Runs the guard's script for one limit with redis-benchmark, each time for another person.
pub(super) async fn script(bench: &BenchArguments, clients: u16) -> anyhow::Result<YardstickResult> {
    let script = Script::new(include_str!("../../../../src/guard/window.lua"));
    let mut connection = redis::Client::open(bench.redis_url.as_str())?.get_multiplexed_async_connection().await?;
    script.prepare_invoke().load_async(&mut connection).await?;
    let url = Url::parse(&bench.redis_url).context("REDIS_URL: must be like redis://host:port")?;
    let redis = bench.processes.redis_pid.map(ProcessTree);
    let before = redis.map(ProcessTree::cpu_time);
    let output = Command::new(&bench.redis_benchmark)
        .args(["-h", url.host_str().unwrap_or("127.0.0.1"), "-p", &url.port().unwrap_or(6379).to_string()])
        .args(["-c", &clients.to_string(), "-n", &SCRIPT_CALLS.to_string(), "-r", "1000000000", "--csv"])
        .args(["EVALSHA", script.get_hash(), "1", "bench:{__rand_int__}:person_pins"])
        .args(["spend", "1800000000000000", "3", "86400000000", "00000000-0000-4000-8000-__rand_int__"])
        .output()
        .await
        .context("cannot run redis-benchmark")?;
    let text = String::from_utf8_lossy(&output.stdout);
    ensure!(output.status.success(), "redis-benchmark failed: {}{}", text, String::from_utf8_lossy(&output.stderr));
    let used = before.zip(redis).map(|(before, tree)| tree.cpu_time().saturating_sub(before));
    // Columns: test, requests per second, then milliseconds: mean, min, p50, p95, p99, max. No line if a call failed.
    let line = text.lines().last().context("redis-benchmark says nothing")?;
    let figures: Vec<f64> = line.split(',').filter_map(|field| field.trim_matches('"').parse().ok()).collect();
    let [.., per_second, _, _, p50_ms, _, p99_ms, _] = figures[..] else {
        anyhow::bail!("redis-benchmark says: {text}");
    };
    let server_cpu_us = used.map(|used| used.as_secs_f64() * 1e6 / f64::from(SCRIPT_CALLS));
    Ok(YardstickResult { clients, per_second, p50_ms, p99_ms, server_cpu_us })
}

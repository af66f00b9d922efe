//! The command line of `temporary-pin-load bench`.

use std::path::PathBuf;

use clap::Args;

use crate::{Processes, WorldAddresses};

/// The powers of ten of stored requests.
pub(super) const LOWEST_EXPONENT: u32 = 4;
pub(super) const HIGHEST_EXPONENT: u32 = 7;

#[derive(Args)]
pub(crate) struct BenchArguments {
    /// The service's program.
    #[arg(long, value_name = "PROGRAM")]
    pub(super) service: PathBuf,
    /// pgbench.
    #[arg(long, value_name = "PROGRAM")]
    pub(super) pgbench: PathBuf,
    /// redis-benchmark.
    #[arg(long, value_name = "PROGRAM")]
    pub(super) redis_benchmark: PathBuf,
    /// A Postgres server on which this user may create databases.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    pub(super) database_url: String,
    /// A Redis server.
    #[arg(long, env = "REDIS_URL", hide_env_values = true)]
    pub(super) redis_url: String,
    #[command(flatten)]
    pub(super) processes: Processes,
    #[command(flatten)]
    pub(super) world: WorldAddresses,
    /// Where certificates, configuration and logs of this run go; it is made, and must not exist.
    #[arg(long)]
    pub(super) directory: PathBuf,
    /// Where report.json, report.md and report.svg go.
    #[arg(long, value_name = "DIRECTORY")]
    pub(super) report: PathBuf,
    /// How often everything is measured, in turn.
    #[arg(long, default_value_t = 3)]
    pub(super) rounds: u8,
    /// Measures also while the tables grow, from 10^4 stored requests to 10^7, or to another power of ten. That takes
    /// 20 GB and a quarter of an hour, or a tenth of both for each power less.
    #[arg(long, value_name = "POWER", num_args = 0..=1, default_missing_value = "7",
        value_parser = clap::value_parser!(u32).range(i64::from(LOWEST_EXPONENT)..=i64::from(HIGHEST_EXPONENT)))]
    pub(super) growth: Option<u32>,
    /// Measures also the peer: its server.mjs, beside the packages that it needs. `node` runs it.
    #[arg(long, value_name = "PROGRAM")]
    pub(super) peer: Option<PathBuf>,
    /// Measures also another build of the service, in turn with this one.
    #[arg(long, value_name = "PROGRAM")]
    pub(super) baseline: Option<PathBuf>,
    /// Also measures the memory of this many idle connections. Needs as many open files.
    #[arg(long, value_name = "COUNT", num_args = 0..=1, default_missing_value = "10000")]
    pub(super) idle_connections: Option<u16>,
    /// Calls of each measurement with many in flight; a quarter of that where the peer is measured.
    #[arg(long, default_value_t = 20_000)]
    pub(super) calls: u64,
}

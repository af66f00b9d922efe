//! The service beside its limits: pgbench with the very statement, redis-benchmark with the very script, a bare tonic
//! service; and beside its peer. All in turn on one machine, several rounds; ratios are made within a round, and the
//! medians reported.

mod cold_start;
mod growth;
mod limits;
mod peer;
mod picture;
mod purge;
mod rows;
mod service;
mod statement;
mod stored;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, ensure};
use clap::Args;
use serde::Serialize;

use crate::calls::{Call, Caller, Ready};
use crate::clients::{Clients, Target};
use crate::drive::{self, Pace};
use crate::installation::{self, Install};
use crate::report::Report;
use crate::scenario::{Scenario, measure};
use crate::world::World;
use crate::{Processes, WorldAddresses};

/// What `temporary-pin-load bench` takes.
#[derive(Args)]
pub(crate) struct Bench {
    /// The service's program.
    #[arg(long, value_name = "PROGRAM")]
    service: PathBuf,
    /// pgbench.
    #[arg(long, value_name = "PROGRAM")]
    pgbench: PathBuf,
    /// redis-benchmark.
    #[arg(long, value_name = "PROGRAM")]
    redis_benchmark: PathBuf,
    /// A Postgres server on which this user may create databases.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    database_url: String,
    /// A Redis server.
    #[arg(long, env = "REDIS_URL", hide_env_values = true)]
    redis_url: String,
    #[command(flatten)]
    processes: Processes,
    #[command(flatten)]
    world: WorldAddresses,
    /// Where certificates, configuration and logs of this run go; it is made, and must not exist.
    #[arg(long)]
    directory: PathBuf,
    /// Where report.json, report.md and report.svg go.
    #[arg(long, value_name = "DIRECTORY")]
    report: PathBuf,
    /// How often everything is measured, in turn.
    #[arg(long, default_value_t = 3)]
    rounds: u8,
    /// Measures also while the tables grow, from 10^4 stored requests to 10^7, or to another power of ten. That takes
    /// 20 GB and a quarter of an hour, or a tenth of both for each power less.
    #[arg(long, value_name = "POWER", num_args = 0..=1, default_missing_value = "7",
        value_parser = clap::value_parser!(u32).range(4..=7))]
    growth: Option<u32>,
    /// Measures also the peer: its server.mjs, beside the packages that it needs. `node` runs it.
    #[arg(long, value_name = "PROGRAM")]
    peer: Option<PathBuf>,
    /// Calls of each measurement with many in flight; a quarter of that where the peer is measured.
    #[arg(long, default_value_t = 20_000)]
    calls: u64,
}

/// Calls in flight, and clients of pgbench, where the two are compared.
const IN_FLIGHT: u16 = 16;

/// Calls in flight for the peak of memory.
const MANY: u16 = 256;

/// Everything measured in one round.
#[derive(Serialize)]
pub(crate) struct Round {
    /// pgbench with the issue statement, by its number of clients.
    pub(crate) statement: Vec<limits::Limit>,
    /// redis-benchmark with the guard's script, by its number of clients.
    pub(crate) script: Vec<limits::Limit>,
    pub(crate) bare: Report,
    pub(crate) bare_one: Report,
    pub(crate) issue: Report,
    pub(crate) issue_one: Report,
    pub(crate) issue_half_peak: Report,
    pub(crate) issue_many: Report,
    pub(crate) check_eligibility: Report,
    /// The service and the peer, each turn.
    pub(crate) peer: Vec<[Report; 2]>,
}

impl Round {
    /// Of everything that was called.
    pub(crate) fn reports(&self) -> impl Iterator<Item = &Report> {
        let Self { bare, bare_one, issue, issue_one, issue_half_peak, issue_many, check_eligibility, peer, .. } = self;
        let own = [bare, bare_one, issue, issue_one, issue_half_peak, issue_many, check_eligibility];
        own.into_iter().chain(peer.iter().flatten())
    }
}

/// Measures, and writes the report.
pub(crate) async fn run(bench: &Bench) -> anyhow::Result<()> {
    let install = Install {
        directory: bench.directory.clone(),
        database_url: service::create_database(&bench.database_url, "bench").await?,
        redis_url: bench.redis_url.clone(),
        address: "127.0.0.1:15051".parse()?,
        world: bench.world.clone(),
    };
    installation::install(&install)?;
    service::prepare(&bench.service, &install.directory)?;
    let service = Target {
        target: "https://localhost:15051".to_owned(),
        certificates: install.directory.clone(),
        connections: 1,
    };
    let cold_starts = cold_start::measure(&bench.service, &service).await?;
    let statement = statement::Statement::prepare(bench, &install).await?;
    let world = Arc::new(World::serve(&bench.world, &install.directory).await?);
    let running = service::Running::start(&bench.service, &install.directory, install.address.port()).await?;
    let bare = service::Running::bare(&install.directory).await?;
    let processes = Processes { service_pid: Some(running.pid()), ..bench.processes.clone() };
    let caller = connect("https://localhost:15051", &install.directory, &world).await?;
    let bare_caller = connect("https://localhost:15063", &install.directory, &world).await?;

    let mut persons = Persons(0);
    let mut rounds = Vec::new();
    // The first calls of a process pay for plans, connections and caches.
    let warm_up = Pace::InFlight(IN_FLIGHT.into());
    measure(&caller, Scenario::Only(Call::Issue), 2000, persons.take(2000), warm_up, &processes).await?;
    let peer = match &bench.peer {
        Some(program) => Some(peer::Peer::start(bench, program, &world, &mut persons).await?),
        None => None,
    };
    for number in 1..=bench.rounds {
        eprintln!("round {number} of {}", bench.rounds);
        let mut round = round(bench, &statement, &caller, &bare_caller, &processes, &mut persons).await?;
        if let Some(peer) = &peer {
            round.peer = peer.measure_beside(&caller, &processes, &mut persons, bench.calls / 4).await?;
        }
        rounds.push(round);
    }
    let growth = match bench.growth {
        Some(highest) => Some(growth::measure(bench, &install, (caller, processes), &world, highest).await?),
        None => None,
    };
    drop((running, bare, peer));

    let table = rows::table(&rounds, growth.as_ref(), &cold_starts);
    let text = rows::markdown(&table, &rounds, growth.as_ref());
    print!("{text}");
    fs::create_dir_all(&bench.report)?;
    let write = |name: &str, content: String| {
        let path = bench.report.join(name);
        fs::write(&path, content).with_context(|| format!("cannot write {}", path.display()))
    };
    write(
        "report.json",
        serde_json::to_string_pretty(
            &serde_json::json!({ "rows": table, "rounds": rounds, "growth": growth, "cold_starts_ms": cold_starts }),
        )?,
    )?;
    write("report.md", text)?;
    write("report.svg", picture::draw(&table))?;
    let failed: u64 = rounds.iter().flat_map(Round::reports).flat_map(|report| report.failures.values()).sum();
    ensure!(failed == 0, "{failed} calls failed: the report shows which");
    Ok(())
}

/// Callers of that service, with certificates of that directory.
async fn connect(target: &str, directory: &Path, world: &Arc<World>) -> anyhow::Result<Arc<Caller>> {
    let target = Target { target: target.to_owned(), certificates: directory.to_owned(), connections: 4 };
    Ok(Arc::new(Caller::new(Clients::connect(&target).await?, Arc::clone(world))?))
}

async fn round(
    bench: &Bench,
    statement: &statement::Statement,
    caller: &Arc<Caller>,
    bare: &Arc<Caller>,
    processes: &Processes,
    persons: &mut Persons,
) -> anyhow::Result<Round> {
    let (many, few) = (bench.calls, bench.calls / 10);
    let pace = Pace::InFlight(IN_FLIGHT.into());
    let mut statements = Vec::new();
    for clients in [1, IN_FLIGHT] {
        let count = if clients == 1 { few } else { many };
        statements.push(statement.run(clients, count).await?);
    }
    let issue = measure(caller, Scenario::Only(Call::Issue), many, persons.take(many), pace, processes).await?;
    for clients in [8, 32, 64] {
        statements.push(statement.run(clients, many).await?);
    }
    let half = Pace::PerSecond(issue.per_second / 2.0);
    Ok(Round {
        script: vec![limits::script(bench, 1).await?, limits::script(bench, IN_FLIGHT).await?],
        bare: always(bare, many, pace).await?,
        check_eligibility: measure(caller, Scenario::Only(Call::CheckEligibility), many, 0, pace, processes).await?,
        bare_one: always(bare, few, Pace::InFlight(1)).await?,
        issue_one: measure(caller, Scenario::Only(Call::Issue), few, persons.take(few), Pace::InFlight(1), processes)
            .await?,
        issue_half_peak: measure(
            caller,
            Scenario::Only(Call::Issue),
            many / 2,
            persons.take(many / 2),
            half,
            processes,
        )
        .await?,
        issue_many: {
            let pace = Pace::InFlight(MANY.into());
            measure(caller, Scenario::Only(Call::Issue), many / 2, persons.take(many / 2), pace, processes).await?
        },
        statement: statements,
        issue,
        peer: Vec::new(),
    })
}

/// The bare service, asked for a PIN.
async fn always(bare: &Arc<Caller>, count: u64, pace: Pace) -> anyhow::Result<Report> {
    // As long as a real one.
    let order = |_| Ready::Issue { request_id: uuid::Uuid::nil(), verification_id: "v".repeat(200) };
    let measured = drive::run(bare, (0..count).map(order).collect(), pace, |_, _| {}).await?;
    Ok(Report::new("bare tonic".to_owned(), pace, &measured))
}

/// Persons who have had no PIN yet.
struct Persons(u64);

impl Persons {
    fn take(&mut self, count: u64) -> u64 {
        let first = self.0;
        self.0 += count;
        first
    }
}

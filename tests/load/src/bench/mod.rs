//! The service beside fixed yardsticks: the four writes that a PIN needs at least and a one-row insert (pgbench), the guard's
//! script (redis-benchmark), a bare tonic service; beside another build of the service; and beside a peer. All in turn on one
//! machine, several rounds; ratios are made within a round, and the medians reported.

mod cold_start;
mod growth;
mod idle_connections;
mod limits;
mod peer;
mod picture;
mod purge;
mod rows;
mod service;
mod stored;
mod under_test;
mod yardstick;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use clap::Args;
use made_up_world::gateway::GatewayMode;
use reqwest::Url;
use serde::Serialize;

use crate::calls::{Call, Caller, Ready};
use crate::clients::{Clients, Target};
use crate::drive::Pace;
use crate::installation::{self, Install};
use crate::report::Report;
use crate::scenario::{Scenario, measure, measure_ready};
use crate::world::World;
use crate::{Processes, WorldAddresses};
use under_test::{TwoProcesses, UnderTest};
use yardstick::{Statement, Yardstick};

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
    /// Measures also another build of the service, in turn with this one.
    #[arg(long, value_name = "PROGRAM")]
    baseline: Option<PathBuf>,
    /// Measures also the memory of so many idle connections. Needs as many open files.
    #[arg(long, value_name = "COUNT", num_args = 0..=1, default_missing_value = "10000")]
    idle_connections: Option<u16>,
    /// Calls of each measurement with many in flight; a quarter of that where the peer is measured.
    #[arg(long, default_value_t = 20_000)]
    calls: u64,
}

/// Calls in flight where rates are compared.
pub(crate) const IN_FLIGHT: u16 = 32;

/// Clients of the four-write statement. With these it is fastest.
pub(crate) const YARDSTICK_CLIENTS: u16 = 16;

/// Calls in flight for the peak of memory.
pub(crate) const MANY: u16 = 256;

/// How late the slow gateway answers.
pub(crate) const SLOW_GATEWAY: Duration = Duration::from_millis(100);

/// PINs that a process issues before it is measured.
const WARM_UP: u64 = 2000;

/// How often the service and its baseline take turns in a round.
const BASELINE_TURNS: usize = 2;

/// Everything measured in one round.
#[derive(Serialize)]
pub(crate) struct Round {
    /// pgbench with the four writes, by its number of clients.
    pub(crate) four_writes: Vec<limits::Limit>,
    /// pgbench with the insert of one row, by its number of clients.
    pub(crate) one_row: Vec<limits::Limit>,
    /// redis-benchmark with the guard's script, by its number of clients.
    pub(crate) script: Vec<limits::Limit>,
    pub(crate) bare_one: Report,
    pub(crate) bare_check_eligibility: Report,
    pub(crate) issue: Report,
    pub(crate) wal_bytes_per_pin: f64,
    pub(crate) issue_one: Report,
    pub(crate) issue_half_peak: Report,
    pub(crate) issue_many: Report,
    /// With a gateway that answers after [`SLOW_GATEWAY`].
    pub(crate) issue_slow_gateway: Report,
    pub(crate) two_processes: TwoProcesses,
    pub(crate) check_eligibility: Report,
    /// The service and its baseline, each turn, with [`IN_FLIGHT`] and with one in flight.
    pub(crate) baseline: Vec<[Report; 2]>,
    pub(crate) baseline_one: Vec<[Report; 2]>,
    /// The service and the peer, each turn.
    pub(crate) peer: Vec<[Report; 2]>,
}

impl Round {
    /// Of everything that was called.
    pub(crate) fn reports(&self) -> impl Iterator<Item = &Report> {
        let own = [
            &self.bare_one,
            &self.bare_check_eligibility,
            &self.issue,
            &self.issue_one,
            &self.issue_half_peak,
            &self.issue_many,
            &self.issue_slow_gateway,
            &self.check_eligibility,
        ];
        let in_turn = self.baseline.iter().chain(&self.baseline_one).chain(&self.peer).flatten();
        own.into_iter().chain(in_turn)
    }

    fn failures(&self) -> u64 {
        self.reports().flat_map(|report| report.failures.values()).sum::<u64>() + self.two_processes.failures
    }
}

/// What is measured, and what it is measured with.
struct Subjects {
    yardstick: Yardstick,
    service: UnderTest,
    /// A second process that serves the same database.
    second: UnderTest,
    baseline: Option<UnderTest>,
    bare: Arc<Caller>,
    bare_processes: Processes,
    world: Arc<World>,
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
    let target = |port: u16, directory: &Path| Target {
        target: format!("https://localhost:{port}"),
        certificates: directory.to_owned(),
        connections: 1,
    };
    let cold_starts = cold_start::measure(&bench.service, &target(15051, &install.directory)).await?;
    let world = Arc::new(World::serve(&bench.world, &install.directory).await?);
    let bare = service::Running::bare(&install.directory).await?;
    let second =
        Install { directory: install.directory.join("second"), address: "127.0.0.1:15054".parse()?, ..install.clone() };
    installation::install(&second)?;
    fs::copy(install.directory.join("keys.toml"), second.directory.join("keys.toml"))?;
    let subjects = Subjects {
        yardstick: Yardstick::prepare(bench).await?,
        service: UnderTest::start(bench, &bench.service, &install, &world).await?,
        second: UnderTest::start(bench, &bench.service, &second, &world).await?,
        baseline: match &bench.baseline {
            Some(program) => Some(start_baseline(bench, program, &install, &world).await?),
            None => None,
        },
        bare: connect("https://localhost:15063", &install.directory, &world).await?,
        bare_processes: Processes { service_pid: Some(bare.pid()), ..Processes::default() },
        world: Arc::clone(&world),
    };

    let mut persons = Persons(0);
    // The first calls of a process pay for plans, connections and caches.
    for warmed_up in [Some(&subjects.service), Some(&subjects.second), subjects.baseline.as_ref()].into_iter().flatten()
    {
        warmed_up.issue(&mut persons, bench.calls.min(WARM_UP), Pace::InFlight(IN_FLIGHT.into())).await?;
    }
    let peer = match &bench.peer {
        Some(program) => Some(peer::Peer::start(bench, program, &world, &mut persons).await?),
        None => None,
    };
    let mut rounds = Vec::new();
    for number in 1..=bench.rounds {
        eprintln!("round {number} of {}", bench.rounds);
        let mut round = round(bench, &subjects, &mut persons).await?;
        if let Some(peer) = &peer {
            let UnderTest { caller, processes, .. } = &subjects.service;
            round.peer = peer.measure_beside(caller, processes, &mut persons, bench.calls / 4).await?;
        }
        rounds.push(round);
    }
    let idle_mib = match bench.idle_connections {
        Some(count) => {
            let target = target(15054, &second.directory);
            Some(idle_connections::measure(&subjects.second, &target, count).await?)
        }
        None => None,
    };
    let growth = match bench.growth {
        Some(highest) => {
            let UnderTest { caller, processes, .. } = &subjects.service;
            let measured = (Arc::clone(caller), processes.clone());
            Some(growth::measure(bench, &install, measured, &world, highest).await?)
        }
        None => None,
    };
    drop((subjects, bare, peer));

    let once =
        rows::MeasuredOnce { growth: growth.as_ref(), cold_starts_ms: &cold_starts, idle_connections_mib: idle_mib };
    let table = rows::table(&rounds, &once);
    let text = rows::markdown(&table, &rounds, growth.as_ref());
    print!("{text}");
    fs::create_dir_all(&bench.report)?;
    let write = |name: &str, content: String| {
        let path = bench.report.join(name);
        fs::write(&path, content).with_context(|| format!("cannot write {}", path.display()))
    };
    write(
        "report.json",
        serde_json::to_string_pretty(&serde_json::json!({
            "rows": table,
            "rounds": rounds,
            "growth": growth,
            "cold_starts_ms": cold_starts,
            "idle_connections_mib": idle_mib,
        }))?,
    )?;
    write("report.md", text)?;
    write("report.svg", picture::draw(&table))?;
    let failed: u64 = rounds.iter().map(Round::failures).sum();
    ensure!(failed == 0, "{failed} calls failed: the report shows which");
    Ok(())
}

/// Starts the other build, with a database of its own in Postgres and in Redis.
async fn start_baseline(
    bench: &Bench,
    program: &Path,
    service: &Install,
    world: &Arc<World>,
) -> anyhow::Result<UnderTest> {
    let mut redis = Url::parse(&bench.redis_url).context("REDIS_URL: must be like redis://host:port")?;
    redis.set_path("2"); // the service's is 0, the peer's 1
    let install = Install {
        directory: service.directory.join("baseline"),
        database_url: service::create_database(&bench.database_url, "bench_baseline").await?,
        redis_url: redis.into(),
        address: "127.0.0.1:15055".parse()?,
        ..service.clone()
    };
    UnderTest::install(bench, program, &install, world).await
}

/// Callers of that service, with certificates of that directory.
async fn connect(target: &str, directory: &Path, world: &Arc<World>) -> anyhow::Result<Arc<Caller>> {
    let target = Target { target: target.to_owned(), certificates: directory.to_owned(), connections: 4 };
    Ok(Arc::new(Caller::new(Clients::connect(&target).await?, Arc::clone(world))?))
}

async fn round(bench: &Bench, subjects: &Subjects, persons: &mut Persons) -> anyhow::Result<Round> {
    let Subjects { yardstick, service, second, baseline, bare, bare_processes, world } = subjects;
    let (many, few) = (bench.calls, bench.calls / 10);
    let (peak, one) = (Pace::InFlight(IN_FLIGHT.into()), Pace::InFlight(1));
    let four_writes = yardstick.run(Statement::FourWrites, YARDSTICK_CLIENTS, many).await?;
    let (issue, wal_bytes_per_pin) = service.issue_with_wal(persons, many, peak).await?;
    let check = Call::CheckEligibility;
    let bare_name = format!("bare tonic, {}", Scenario::Only(check).name());
    let bare_check = measure(bare, Scenario::Only(check), many, 0, peak, bare_processes).await?;
    let two_processes = service.issue_beside(second, persons, many, IN_FLIGHT).await?;
    let half = Pace::PerSecond(issue.per_second / 2.0);
    Ok(Round {
        four_writes: vec![yardstick.run(Statement::FourWrites, 1, few).await?, four_writes],
        wal_bytes_per_pin,
        two_processes,
        bare_check_eligibility: Report { scenario: bare_name, ..bare_check },
        check_eligibility: service.call(check, many, 0, peak).await?,
        one_row: vec![yardstick.run(Statement::OneRow, 1, few).await?],
        script: vec![limits::script(bench, 1).await?, limits::script(bench, YARDSTICK_CLIENTS).await?],
        bare_one: issue_at_bare(bare, few, one, bare_processes).await?,
        issue_one: service.issue(persons, few, one).await?,
        issue_half_peak: service.issue(persons, many / 2, half).await?,
        issue_many: service.issue(persons, many / 2, Pace::InFlight(MANY.into())).await?,
        issue_slow_gateway: {
            world.gateway.mode.set(GatewayMode::Slow(SLOW_GATEWAY));
            let report = service.issue(persons, many / 2, Pace::InFlight(MANY.into())).await;
            world.gateway.mode.set(GatewayMode::Accept);
            Report { scenario: "issue, slow gateway".to_owned(), ..report? }
        },
        baseline: take_turns(service, baseline.as_ref(), persons, many / 4, peak).await?,
        baseline_one: take_turns(service, baseline.as_ref(), persons, few, one).await?,
        issue,
        peer: Vec::new(),
    })
}

/// Issues PINs with the service and with its baseline in turn. Empty without a baseline.
async fn take_turns(
    service: &UnderTest,
    baseline: Option<&UnderTest>,
    persons: &mut Persons,
    count: u64,
    pace: Pace,
) -> anyhow::Result<Vec<[Report; 2]>> {
    let mut turns = Vec::new();
    if let Some(baseline) = baseline {
        for _ in 0..BASELINE_TURNS {
            let before = baseline.issue(persons, count, pace).await?;
            let now = service.issue(persons, count, pace).await?;
            turns.push([now, Report { scenario: "issue, baseline".to_owned(), ..before }]);
        }
    }
    Ok(turns)
}

/// Calls IssueTemporaryPin of the bare service.
async fn issue_at_bare(bare: &Arc<Caller>, count: u64, pace: Pace, processes: &Processes) -> anyhow::Result<Report> {
    // As long as a real one.
    let order = |_| Ready::Issue { request_id: uuid::Uuid::nil(), verification_id: "v".repeat(200) };
    measure_ready(bare, "bare tonic, issue".to_owned(), (0..count).map(order).collect(), pace, processes).await
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

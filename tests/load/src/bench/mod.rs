//! Measures the service beside its limits: pgbench with the service's statement, redis-benchmark with its script, and a bare
//! tonic service; and beside its peer. All take turns on one machine, for several rounds. The report has the medians of the
//! ratios within each round.

mod arguments;
mod cold_start;
mod filled_service;
mod growth;
mod limits;
mod markdown;
mod peer;
mod picture;
mod purge;
mod round;
mod rows;
mod service;
mod spread;
mod statement;
mod stored;

use std::fs;
use std::sync::Arc;

use anyhow::{Context as _, ensure};
use serde_json::json;

pub(crate) use arguments::BenchArguments;
use peer::Peer;
use round::{FreshPersons, IN_FLIGHT, Round, measure_round};
use service::Running;
use statement::StatementBench;

use crate::Processes;
use crate::calls::{Call, Caller};
use crate::clients::Target;
use crate::drive::Pace;
use crate::installation::{self, Install};
use crate::scenario::{Scenario, measure};
use crate::world::World;

/// Where the service and the bare service listen.
const SERVICE_ADDRESS: &str = "127.0.0.1:15051";
const SERVICE_URL: &str = "https://localhost:15051";
const BARE_URL: &str = "https://localhost:15063";

/// The first calls of a process are slower: plans, connections and caches are made.
const WARM_UP_CALLS: u64 = 2000;

/// The part of `--calls` that the peer is measured with.
const CALLS_PER_PEER_CALL: u64 = 4;

/// Measures everything, and writes the report.
pub(crate) async fn run(bench: &BenchArguments) -> anyhow::Result<()> {
    let install = Install {
        directory: bench.directory.clone(),
        database_url: service::create_database(&bench.database_url, "bench").await?,
        redis_url: bench.redis_url.clone(),
        address: SERVICE_ADDRESS.parse()?,
        world: bench.world.clone(),
    };
    installation::install(&install)?;
    service::prepare(&bench.service, &install.directory)?;
    let service = Target { target: SERVICE_URL.to_owned(), certificates: install.directory.clone(), connections: 1 };
    let cold_starts = cold_start::measure(&bench.service, &service).await?;
    let statement = StatementBench::prepare(bench, &install).await?;
    let world = Arc::new(World::serve(&bench.world, &install.directory).await?);
    let running = Running::start(&bench.service, &install.directory, install.address.port()).await?;
    let bare = Running::bare(&install.directory).await?;
    let processes = Processes { service_pid: Some(running.pid()), ..bench.processes.clone() };
    let caller = Caller::connect(SERVICE_URL, &install.directory, Arc::clone(&world)).await?;
    let bare_caller = Caller::connect(BARE_URL, &install.directory, Arc::clone(&world)).await?;

    let mut persons = FreshPersons::default();
    let mut rounds = Vec::new();
    let warm_up = Pace::InFlight(IN_FLIGHT.into());
    measure(&caller, Scenario::Only(Call::Issue), WARM_UP_CALLS, persons.take(WARM_UP_CALLS), warm_up, &processes)
        .await?;
    let peer = match &bench.peer {
        Some(program) => Some(Peer::start(bench, program, &world, &mut persons).await?),
        None => None,
    };
    for number in 1..=bench.rounds {
        eprintln!("round {number} of {}", bench.rounds);
        let mut round = measure_round(bench, &statement, &caller, &bare_caller, &processes, &mut persons).await?;
        if let Some(peer) = &peer {
            round.peer =
                peer.measure_beside(&caller, &processes, &mut persons, bench.calls / CALLS_PER_PEER_CALL).await?;
        }
        rounds.push(round);
    }
    let growth = match bench.growth {
        Some(highest) => Some(growth::measure(bench, &install, (caller, processes), &world, highest).await?),
        None => None,
    };
    drop((running, bare, peer));

    let rows = rows::table(&rounds, growth.as_ref(), &cold_starts);
    let text = markdown::write(&rows, &rounds, growth.as_ref());
    print!("{text}");
    fs::create_dir_all(&bench.report)?;
    let write = |name: &str, content: String| {
        let path = bench.report.join(name);
        fs::write(&path, content).with_context(|| format!("cannot write {}", path.display()))
    };
    write(
        "report.json",
        serde_json::to_string_pretty(
            &json!({ "rows": rows, "rounds": rounds, "growth": growth, "cold_starts_ms": cold_starts }),
        )?,
    )?;
    write("report.md", text)?;
    write("report.svg", picture::draw(&rows))?;
    let failed: u64 = rounds.iter().flat_map(Round::reports).flat_map(|report| report.failures.values()).sum();
    ensure!(failed == 0, "{failed} calls failed: the report shows which");
    Ok(())
}

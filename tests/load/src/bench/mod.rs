//! Measures the service beside fixed yardsticks: pgbench with the four writes that a PIN needs at least and with the insert of
//! one row, redis-benchmark with the guard's script, and a bare tonic service; beside another build of the service; and beside
//! its peer. All take turns on one machine, for several rounds. The report has the medians of the ratios within each round.

mod arguments;
mod cold_start;
mod filled_service;
mod fresh_persons;
mod growth;
mod idle_connections;
mod limits;
mod markdown;
mod peer;
mod picture;
mod purge;
mod round;
mod rows;
mod service;
mod spread;
mod stored;
mod subjects;
mod under_test;
mod yardstick;

use std::fs;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, ensure};
use serde_json::json;

pub(crate) use arguments::BenchArguments;
use fresh_persons::FreshPersons;
use peer::Peer;
use round::{IN_FLIGHT, Round, measure_round};
use rows::MeasuredOnce;
use subjects::Subjects;
use under_test::ServiceUnderTest;

use crate::clients::Target;
use crate::installation::{self, Install};
use crate::world::World;

/// Where the service and its second process listen.
const SERVICE_ADDRESS: &str = "127.0.0.1:15051";
const SERVICE_URL: &str = "https://localhost:15051";
const SECOND_URL: &str = "https://localhost:15054";

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
    let target = |url: &str, directory: &Path| Target {
        target: url.to_owned(),
        certificates: directory.to_owned(),
        connections: 1,
    };
    let cold_starts = cold_start::measure(&bench.service, &target(SERVICE_URL, &install.directory)).await?;
    let world = Arc::new(World::serve(&bench.world, &install.directory).await?);
    let second_directory = install.directory.join("second");
    let subjects = Subjects::start(bench, &install, &second_directory, &world).await?;

    let mut persons = FreshPersons::default();
    subjects.warm_up(&mut persons, IN_FLIGHT, bench.calls).await?;
    let peer = match &bench.peer {
        Some(program) => Some(Peer::start(bench, program, &world, &mut persons).await?),
        None => None,
    };
    let ServiceUnderTest { caller, processes, .. } = &subjects.service;
    let mut rounds = Vec::new();
    for number in 1..=bench.rounds {
        eprintln!("round {number} of {}", bench.rounds);
        let mut round = measure_round(bench, &subjects, &mut persons).await?;
        if let Some(peer) = &peer {
            let count = bench.calls / CALLS_PER_PEER_CALL;
            round.peer = peer.measure_beside(caller, processes, &mut persons, count).await?;
        }
        rounds.push(round);
    }
    let idle_connections_mib = match bench.idle_connections {
        Some(count) => {
            let target = target(SECOND_URL, &second_directory);
            Some(idle_connections::measure(&subjects.second, &target, count).await?)
        }
        None => None,
    };
    let growth = match bench.growth {
        Some(highest) => {
            let service = (Arc::clone(caller), processes.clone());
            Some(growth::measure(bench, &install, service, &world, highest).await?)
        }
        None => None,
    };
    drop((subjects, peer));

    let once = MeasuredOnce { growth: growth.as_ref(), cold_starts_ms: &cold_starts, idle_connections_mib };
    let rows = rows::table(&rounds, &once);
    let text = markdown::write(&rows, &rounds, growth.as_ref());
    print!("{text}");
    fs::create_dir_all(&bench.report)?;
    let write = |name: &str, content: String| {
        let path = bench.report.join(name);
        fs::write(&path, content).with_context(|| format!("cannot write {}", path.display()))
    };
    write(
        "report.json",
        serde_json::to_string_pretty(&json!({
            "rows": rows,
            "rounds": rounds,
            "growth": growth,
            "cold_starts_ms": cold_starts,
            "idle_connections_mib": idle_connections_mib,
        }))?,
    )?;
    write("report.md", text)?;
    write("report.svg", picture::draw(&rows))?;
    let failed: u64 = rounds.iter().map(Round::failures).sum();
    ensure!(failed == 0, "{failed} calls failed: the report shows which");
    Ok(())
}

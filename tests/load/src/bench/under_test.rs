//! A running service with a database of its own, and the calls that measure it.

use std::path::Path;
use std::sync::Arc;

use sqlx::{Connection as _, PgConnection};
use tokio::time::Instant;

use super::service::Running;
use super::{Bench, Persons, connect, service};
use crate::Processes;
use crate::calls::{Call, Caller};
use crate::drive::{self, Pace};
use crate::installation::{self, Install};
use crate::process::Tree;
use crate::report::Report;
use crate::scenario::{Scenario, measure, measure_ready, settle};
use crate::world::World;

/// A running service, until this is dropped.
pub(super) struct UnderTest {
    pub(super) caller: Arc<Caller>,
    pub(super) processes: Processes,
    database_url: String,
    _running: Running,
}

/// Two processes of the service on one database, each with half of the calls in flight.
#[derive(serde::Serialize)]
pub(crate) struct TwoProcesses {
    pub(crate) per_second: f64,
    /// CPU time per PIN of both processes, Postgres and Redis, in microseconds.
    pub(crate) server_cpu_us: f64,
    pub(crate) failures: u64,
}

impl UnderTest {
    /// Starts the program with the installation in `install.directory`, which is prepared.
    pub(super) async fn start(
        bench: &Bench,
        program: &Path,
        install: &Install,
        world: &Arc<World>,
    ) -> anyhow::Result<Self> {
        let port = install.address.port();
        let running = Running::start(program, &install.directory, port).await?;
        Ok(Self {
            caller: connect(&format!("https://localhost:{port}"), &install.directory, world).await?,
            processes: Processes { service_pid: Some(running.pid()), ..bench.processes.clone() },
            database_url: install.database_url.clone(),
            _running: running,
        })
    }

    /// Installs and starts the program with databases of its own.
    pub(super) async fn install(
        bench: &Bench,
        program: &Path,
        install: &Install,
        world: &Arc<World>,
    ) -> anyhow::Result<Self> {
        installation::install(install)?;
        service::prepare(program, &install.directory)?;
        Self::start(bench, program, install, world).await
    }

    pub(super) async fn call(&self, call: Call, count: u64, first_person: u64, pace: Pace) -> anyhow::Result<Report> {
        measure(&self.caller, Scenario::Only(call), count, first_person, pace, &self.processes).await
    }

    /// Issues PINs to persons who have none.
    pub(super) async fn issue(&self, persons: &mut Persons, count: u64, pace: Pace) -> anyhow::Result<Report> {
        self.call(Call::Issue, count, persons.take(count), pace).await
    }

    /// Like [`Self::issue`], and reads how many bytes of WAL a PIN takes, its hand-over included.
    pub(super) async fn issue_with_wal(
        &self,
        persons: &mut Persons,
        count: u64,
        pace: Pace,
    ) -> anyhow::Result<(Report, f64)> {
        let calls = drive::prepare(&self.caller, &orders(persons, count)).await?;
        let mut connection = PgConnection::connect(&self.database_url).await?;
        settle(&self.caller.world.deliveries).await;
        let before = wal_bytes(&mut connection).await?;
        let name = Scenario::Only(Call::Issue).name();
        let report = measure_ready(&self.caller, name, calls, pace, &self.processes).await?;
        let used = wal_bytes(&mut connection).await? - before;
        connection.close().await?;
        Ok((report, used / count as f64))
    }

    /// Issues PINs with half of `in_flight` at this process and half at `other`, which serves the same database.
    pub(super) async fn issue_beside(
        &self,
        other: &Self,
        persons: &mut Persons,
        count: u64,
        in_flight: u16,
    ) -> anyhow::Result<TwoProcesses> {
        let first = drive::prepare(&self.caller, &orders(persons, count / 2)).await?;
        let second = drive::prepare(&self.caller, &orders(persons, count / 2)).await?;
        let deliveries = &self.caller.world.deliveries;
        settle(deliveries).await;
        let trees: Vec<Tree> = [
            self.processes.service_pid,
            other.processes.service_pid,
            self.processes.postgres_pid,
            self.processes.redis_pid,
        ]
        .into_iter()
        .flatten()
        .map(Tree)
        .collect();
        let used = || trees.iter().map(|tree| tree.cpu_time().as_secs_f64()).sum::<f64>();
        let (before, start) = (used(), Instant::now());
        let pace = Pace::InFlight(usize::from(in_flight / 2));
        let (first, second) = tokio::try_join!(
            drive::run(&self.caller, first, pace, |_, _| {}),
            drive::run(&other.caller, second, pace, |_, _| {}),
        )?;
        let seconds = start.elapsed().as_secs_f64();
        settle(deliveries).await;
        let issued = (first.latencies.len() + second.latencies.len()) as f64;
        Ok(TwoProcesses {
            per_second: issued / seconds,
            server_cpu_us: (used() - before) * 1e6 / issued,
            failures: first.failures.values().chain(second.failures.values()).sum(),
        })
    }
}

fn orders(persons: &mut Persons, count: u64) -> Vec<(Call, made_up_world::indexed_people::IndexedPerson)> {
    Scenario::Only(Call::Issue).calls(count, persons.take(count))
}

/// The position in the WAL.
async fn wal_bytes(connection: &mut PgConnection) -> anyhow::Result<f64> {
    let position = "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::float8";
    Ok(sqlx::query_scalar(position).fetch_one(connection).await?)
}

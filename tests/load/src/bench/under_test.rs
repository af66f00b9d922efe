//! Measures a running service, alone or together with a second process that serves the same database.

use std::path::Path;
use std::sync::Arc;

use made_up_world::indexed_people::IndexedPerson;
use serde::Serialize;
use sqlx::{Connection as _, PgConnection};
use tokio::time::Instant;

use super::arguments::BenchArguments;
use super::fresh_persons::FreshPersons;
use super::service::Running;
use crate::Processes;
use crate::calls::{Call, Caller};
use crate::drive::{self, Pace};
use crate::installation::Install;
use crate::process::ProcessTree;
use crate::report::Report;
use crate::scenario::{Scenario, measure, measure_ready, settle};
use crate::world::World;

/// A service that runs until this is dropped.
pub(super) struct ServiceUnderTest {
    pub(super) caller: Arc<Caller>,
    pub(super) processes: Processes,
    database_url: String,
    _running: Running,
}

/// The measurements of two processes of the service on one database, each with half of the calls in flight.
#[derive(Serialize)]
pub(crate) struct TwoProcesses {
    pub(crate) per_second: f64,
    /// CPU time per PIN of both processes, Postgres and Redis, in microseconds.
    pub(crate) server_cpu_us: f64,
    pub(crate) failures: u64,
}

impl ServiceUnderTest {
    /// Starts a program with an installation that is prepared.
    pub(super) async fn start(
        bench: &BenchArguments,
        program: &Path,
        install: &Install,
        world: &Arc<World>,
    ) -> anyhow::Result<Self> {
        let port = install.address.port();
        let running = Running::start(program, &install.directory, port).await?;
        Ok(Self {
            caller: Caller::connect(&format!("https://localhost:{port}"), &install.directory, Arc::clone(world))
                .await?,
            processes: Processes { service_pid: Some(running.pid()), ..bench.processes.clone() },
            database_url: install.database_url.clone(),
            _running: running,
        })
    }

    pub(super) async fn call(&self, call: Call, count: u64, first_person: u64, pace: Pace) -> anyhow::Result<Report> {
        measure(&self.caller, Scenario::Only(call), count, first_person, pace, &self.processes).await
    }

    /// Issues PINs to `count` fresh persons.
    pub(super) async fn issue(&self, persons: &mut FreshPersons, count: u64, pace: Pace) -> anyhow::Result<Report> {
        self.call(Call::Issue, count, persons.take(count), pace).await
    }

    /// Like [`Self::issue`]. Also answers the bytes of WAL per PIN, including those of the hand-over to the gateway.
    pub(super) async fn issue_with_wal(
        &self,
        persons: &mut FreshPersons,
        count: u64,
        pace: Pace,
    ) -> anyhow::Result<(Report, f64)> {
        let calls = drive::prepare(&self.caller, &list_orders(persons, count)).await?;
        let mut connection = PgConnection::connect(&self.database_url).await?;
        settle(&self.caller.world.deliveries).await;
        let before = read_wal_position(&mut connection).await?;
        let name = Scenario::Only(Call::Issue).name();
        let report = measure_ready(&self.caller, name, calls, pace, &self.processes).await?;
        let used = read_wal_position(&mut connection).await? - before;
        connection.close().await?;
        Ok((report, used / count as f64))
    }

    /// Issues `count` PINs, half of them with this process and half with `other`, which serves the same database. Both
    /// have half of `in_flight`.
    pub(super) async fn issue_beside(
        &self,
        other: &Self,
        persons: &mut FreshPersons,
        count: u64,
        in_flight: u16,
    ) -> anyhow::Result<TwoProcesses> {
        let first = drive::prepare(&self.caller, &list_orders(persons, count / 2)).await?;
        let second = drive::prepare(&self.caller, &list_orders(persons, count / 2)).await?;
        let deliveries = &self.caller.world.deliveries;
        settle(deliveries).await;
        let trees: Vec<ProcessTree> = [
            self.processes.service_pid,
            other.processes.service_pid,
            self.processes.postgres_pid,
            self.processes.redis_pid,
        ]
        .into_iter()
        .flatten()
        .map(ProcessTree)
        .collect();
        let cpu_seconds = || trees.iter().map(|tree| tree.cpu_time().as_secs_f64()).sum::<f64>();
        let (before, start) = (cpu_seconds(), Instant::now());
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
            server_cpu_us: (cpu_seconds() - before) * 1e6 / issued,
            failures: first.failures.values().chain(second.failures.values()).sum(),
        })
    }
}

/// Lists orders of `count` fresh persons.
fn list_orders(persons: &mut FreshPersons, count: u64) -> Vec<(Call, IndexedPerson)> {
    Scenario::Only(Call::Issue).calls(count, persons.take(count))
}

/// Reads how many bytes have been written to the WAL so far.
async fn read_wal_position(connection: &mut PgConnection) -> anyhow::Result<f64> {
    let position = "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::float8";
    Ok(sqlx::query_scalar(position).fetch_one(connection).await?)
}

//! Everything that a round measures. All of it is started before the first round.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use reqwest::Url;

use super::arguments::BenchArguments;
use super::fresh_persons::FreshPersons;
use super::service::{self, Running};
use super::under_test::ServiceUnderTest;
use super::yardstick::Yardstick;
use crate::Processes;
use crate::calls::Caller;
use crate::drive::Pace;
use crate::installation::{self, Install};
use crate::world::World;

/// Where the second process, the baseline and the bare service listen.
const SECOND_ADDRESS: &str = "127.0.0.1:15054";
const BASELINE_ADDRESS: &str = "127.0.0.1:15055";
const BARE_URL: &str = "https://localhost:15063";

/// The Redis database of the baseline. The service uses database 0, and the peer database 1.
const BASELINE_REDIS_PATH: &str = "2";

/// The first calls of a process are slower: plans, connections and caches are made.
const WARM_UP_CALLS: u64 = 2000;

pub(super) struct Subjects {
    pub(super) yardstick: Yardstick,
    pub(super) service: ServiceUnderTest,
    /// A second process that serves the same database.
    pub(super) second: ServiceUnderTest,
    /// Another build of the service.
    pub(super) baseline: Option<ServiceUnderTest>,
    pub(super) bare: Arc<Caller>,
    pub(super) bare_processes: Processes,
    pub(super) world: Arc<World>,
    _running_bare: Running,
}

impl Subjects {
    /// Starts everything. The installation of the service is prepared. The installation of its second process is written to
    /// `second_directory`.
    pub(super) async fn start(
        bench: &BenchArguments,
        install: &Install,
        second_directory: &Path,
        world: &Arc<World>,
    ) -> anyhow::Result<Self> {
        let running_bare = Running::bare(&install.directory).await?;
        let second =
            Install { directory: second_directory.to_owned(), address: SECOND_ADDRESS.parse()?, ..install.clone() };
        installation::install(&second)?;
        fs::copy(install.directory.join("keys.toml"), second.directory.join("keys.toml"))?;
        Ok(Self {
            yardstick: Yardstick::prepare(bench).await?,
            service: ServiceUnderTest::start(bench, &bench.service, install, world).await?,
            second: ServiceUnderTest::start(bench, &bench.service, &second, world).await?,
            baseline: match &bench.baseline {
                Some(program) => Some(start_baseline(bench, program, install, world).await?),
                None => None,
            },
            bare: Caller::connect(BARE_URL, &install.directory, Arc::clone(world)).await?,
            bare_processes: Processes { service_pid: Some(running_bare.pid()), ..Processes::default() },
            world: Arc::clone(world),
            _running_bare: running_bare,
        })
    }

    /// Makes the first calls of every service, except the bare one. No more than `calls`, those of a measurement.
    pub(super) async fn warm_up(&self, persons: &mut FreshPersons, in_flight: u16, calls: u64) -> anyhow::Result<()> {
        for service in [Some(&self.service), Some(&self.second), self.baseline.as_ref()].into_iter().flatten() {
            service.issue(persons, calls.min(WARM_UP_CALLS), Pace::InFlight(in_flight.into())).await?;
        }
        Ok(())
    }
}

/// Starts the other build, with a database of its own in Postgres and in Redis.
async fn start_baseline(
    bench: &BenchArguments,
    program: &Path,
    service: &Install,
    world: &Arc<World>,
) -> anyhow::Result<ServiceUnderTest> {
    let mut redis = Url::parse(&bench.redis_url).context("REDIS_URL: must be like redis://host:port")?;
    redis.set_path(BASELINE_REDIS_PATH);
    let install = Install {
        directory: service.directory.join("baseline"),
        database_url: service::create_database(&bench.database_url, "bench_baseline").await?,
        redis_url: redis.into(),
        address: BASELINE_ADDRESS.parse()?,
        ..service.clone()
    };
    installation::install(&install)?;
    service::prepare(program, &install.directory)?;
    ServiceUnderTest::start(bench, program, &install, world).await
}

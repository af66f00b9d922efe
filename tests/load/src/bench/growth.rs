//! Measures the service while its tables grow, in turn with a second service whose tables stay at 10^4 requests: changes of
//! the machine's speed then affect both.

use std::fmt;
use std::sync::Arc;

use serde::Serialize;
use tokio::time::Instant;

use super::arguments::{BenchArguments, HIGHEST_EXPONENT, LOWEST_EXPONENT};
use super::filled_service::FilledService;
use super::purge::{self, Purge};
use super::service::{self, Running};
use super::spread::median;
use crate::Processes;
use crate::calls::{Call, Caller};
use crate::drive::Pace;
use crate::installation::{self, Install};
use crate::report::{Latency, Report};
use crate::world::World;

/// The purge is measured at this power of ten of stored requests, or at the last one if that is lower.
const PURGE_EXPONENT: u32 = 6;

/// There is one person for ten requests, but at least this number of persons.
const MIN_PEOPLE: u64 = 10_000;
const REQUESTS_PER_PERSON: u64 = 10;

/// Where the second service listens.
const CONTROL_ADDRESS: &str = "127.0.0.1:15053";
const CONTROL_URL: &str = "https://localhost:15053";

/// How often each call is measured at each level.
const TURNS: usize = 5;
const CALLS_PER_TURN: u64 = 300;

/// Calls in flight when the purge is measured.
const PURGE_IN_FLIGHT: usize = 16;

#[derive(Serialize)]
pub(crate) struct Growth {
    pub(crate) levels: Vec<Level>,
    pub(crate) purge: Option<Purge>,
}

/// The measurements at one number of stored requests, with one call in flight. Each pair of reports is from one turn: this
/// service, then the one with 10^4 requests.
#[derive(Serialize)]
pub(crate) struct Level {
    /// The power of ten.
    pub(crate) exponent: u32,
    pub(crate) people: u64,
    pub(crate) fill_seconds: f64,
    pub(crate) bytes_per_request: f64,
    pub(crate) issue: Vec<[Report; 2]>,
    pub(crate) check_eligibility: Vec<[Report; 2]>,
}

/// Fills the database of `install`, whose service `caller` calls, to 10^4 requests and on to 10^`highest`.
pub(super) async fn measure(
    bench: &BenchArguments,
    install: &Install,
    (caller, processes): (Arc<Caller>, Processes),
    world: &Arc<World>,
    highest: u32,
) -> anyhow::Result<Growth> {
    let control = Install {
        directory: install.directory.join("control"),
        database_url: service::create_database(&bench.database_url, "bench_control").await?,
        address: CONTROL_ADDRESS.parse()?,
        ..install.clone()
    };
    installation::install(&control)?;
    service::prepare(&bench.service, &control.directory)?;
    let _running = Running::start(&bench.service, &control.directory, control.address.port()).await?;
    let control_caller = Caller::connect(CONTROL_URL, &control.directory, Arc::clone(world)).await?;
    let mut control = FilledService::new(&control, control_caller, Processes::default()).await?;
    control.stored.fill(10_u64.pow(LOWEST_EXPONENT), MIN_PEOPLE).await?;
    let mut grown = FilledService::new(install, caller, processes).await?;

    let (mut levels, mut purge) = (Vec::new(), None);
    for exponent in LOWEST_EXPONENT..=highest {
        let level = Level::measure(exponent, &mut grown, &mut control).await?;
        eprintln!("{level}");
        levels.push(level);
        if exponent == highest.min(PURGE_EXPONENT) {
            purge = Some(purge::measure(&mut grown, Pace::InFlight(PURGE_IN_FLIGHT)).await?);
        }
    }
    Ok(Growth { levels, purge })
}

impl Growth {
    /// The highest power of ten; for each turn Issue's p50 there divided by that at 10^4; and for each turn Issue's rate
    /// during the purge divided by that without.
    pub(super) fn ratios(&self) -> (u32, Vec<f64>, Vec<f64>) {
        let (exponent, issue) =
            self.levels.last().map_or((HIGHEST_EXPONENT, &[][..]), |level| (level.exponent, &level.issue));
        let slower = issue.iter().map(|[grown, control]| grown.latency_ms.p50 / control.latency_ms.p50);
        let purge = self.purge.iter().flat_map(|purge| &purge.issue);
        (exponent, slower.collect(), purge.map(|[beside, alone]| beside.per_second / alone.per_second).collect())
    }
}

impl fmt::Display for Growth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for level in &self.levels {
            writeln!(f, "- {level}")?;
        }
        if let Some(purge) = &self.purge {
            writeln!(f, "- {purge}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { exponent, people, fill_seconds, bytes_per_request, issue, check_eligibility } = self;
        write!(
            f,
            "10^{exponent} requests of {people} people, filled in {fill_seconds:.0} s, {bytes_per_request:.0} bytes each"
        )?;
        for (name, turns) in [("Issue", issue), ("CheckEligibility", check_eligibility)] {
            let of = |side: usize, quantile: fn(&Latency) -> f64| {
                median(turns.iter().filter_map(|turn| Some(quantile(&turn.get(side)?.latency_ms))))
            };
            let p50 = |latency: &Latency| latency.p50;
            let p99 = |latency: &Latency| latency.p99;
            write!(
                f,
                "; {name} p50 {:.2} ms, p99 {:.2} ms (at 10^{LOWEST_EXPONENT}: {:.2}, {:.2})",
                of(0, p50),
                of(0, p99),
                of(1, p50),
                of(1, p99)
            )?;
        }
        Ok(())
    }
}

impl Level {
    async fn measure(exponent: u32, grown: &mut FilledService, control: &mut FilledService) -> anyhow::Result<Self> {
        let requests = 10_u64.pow(exponent);
        let people = MIN_PEOPLE.max(requests / REQUESTS_PER_PERSON);
        eprintln!("filling to 10^{exponent} requests");
        let start = Instant::now();
        grown.stored.fill(requests, people).await?;
        let fill_seconds = start.elapsed().as_secs_f64();
        let bytes_per_request = grown.stored.size().await? as f64 / requests as f64;
        let (mut issue, mut check_eligibility) = (Vec::new(), Vec::new());
        // Postgres plans anew for the new sizes.
        grown.measure_one_in_flight(Call::Issue, CALLS_PER_TURN).await?;
        control.measure_one_in_flight(Call::Issue, CALLS_PER_TURN).await?;
        for _ in 0..TURNS {
            for (call, reports) in [(Call::Issue, &mut issue), (Call::CheckEligibility, &mut check_eligibility)] {
                let of_grown = grown.measure_one_in_flight(call, CALLS_PER_TURN).await?;
                reports.push([of_grown, control.measure_one_in_flight(call, CALLS_PER_TURN).await?]);
            }
        }
        Ok(Self { exponent, people, fill_seconds, bytes_per_request, issue, check_eligibility })
    }
}

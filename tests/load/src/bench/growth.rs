//! The service as its tables grow, measured in turn with a second one, whose database keeps 10^4 requests: whatever the
//! machine does meanwhile meets both.

use std::fmt;
use std::sync::Arc;

use made_up_world::indexed_people::IndexedPerson;
use serde::Serialize;
use tokio::time::Instant;

use super::purge::{self, Purge};
use super::rows::median;
use super::service::{self, Running};
use super::stored::Stored;
use super::{Bench, connect};
use crate::Processes;
use crate::calls::{Call, Caller, Ready};
use crate::drive::{self, Pace};
use crate::installation::{self, Install};
use crate::report::{Latency, Report};
use crate::scenario::{Scenario, measure_ready};
use crate::world::World;

/// Powers of ten of stored requests: the first, the last, and the one at which the purge is measured, unless the last is less.
const LEAST: u32 = 4;
pub(super) const HIGHEST: u32 = 7;
const PURGED: u32 = 6;

/// Persons at least; above, a tenth of the requests.
const LEAST_PEOPLE: u64 = 10_000;

/// Persons from here on are not among the stored.
const FIRST_FRESH: u64 = 2_000_000;

/// How often each call is measured at each level, and how many calls that takes.
const TURNS: usize = 5;
const CALLS: u64 = 300;

/// Calls in flight beside the purge.
const PURGE_IN_FLIGHT: usize = 16;

/// What came of it.
#[derive(Serialize)]
pub(crate) struct Growth {
    pub(crate) levels: Vec<Level>,
    pub(crate) purge: Option<Purge>,
}

/// At one number of stored requests. One call in flight; each report stands beside that of 10^4 from the same turn.
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

/// A service whose database is filled.
pub(super) struct Side {
    pub(super) stored: Stored,
    pub(super) caller: Arc<Caller>,
    pub(super) processes: Processes,
    next_stored: u64,
    next_fresh: u64,
}

impl Side {
    pub(super) async fn new(install: &Install, caller: Arc<Caller>, processes: Processes) -> anyhow::Result<Self> {
        let stored = Stored::new(install).await?;
        Ok(Self { stored, caller, processes, next_stored: 0, next_fresh: FIRST_FRESH })
    }

    /// Calls, every other one for one of the stored persons, who order once each.
    pub(super) async fn prepare(&mut self, call: Call, count: u64) -> anyhow::Result<Vec<Ready>> {
        let (stored, fresh) = (self.next_stored, self.next_fresh);
        (self.next_stored, self.next_fresh) = (stored + count / 2, fresh + count / 2);
        let calls = (0..count / 2)
            .flat_map(|n| [IndexedPerson(stored + n), IndexedPerson(fresh + n)])
            .map(|person| (call, person));
        drive::prepare(&self.caller, &calls.collect::<Vec<_>>()).await
    }

    pub(super) async fn measure(&self, call: Call, calls: Vec<Ready>, pace: Pace) -> anyhow::Result<Report> {
        measure_ready(&self.caller, Scenario::Only(call).name(), calls, pace, &self.processes).await
    }

    async fn one_in_flight(&mut self, call: Call, count: u64) -> anyhow::Result<Report> {
        let calls = self.prepare(call, count).await?;
        self.measure(call, calls, Pace::InFlight(1)).await
    }
}

/// Fills the database of `install`, whose service `caller` calls, to 10^4 requests and on to 10^`highest`.
pub(super) async fn measure(
    bench: &Bench,
    install: &Install,
    (caller, processes): (Arc<Caller>, Processes),
    world: &Arc<World>,
    highest: u32,
) -> anyhow::Result<Growth> {
    let control = Install {
        directory: install.directory.join("control"),
        database_url: service::create_database(&bench.database_url, "bench_control").await?,
        address: "127.0.0.1:15053".parse()?,
        ..install.clone()
    };
    installation::install(&control)?;
    service::prepare(&bench.service, &control.directory)?;
    let _running = Running::start(&bench.service, &control.directory, control.address.port()).await?;
    let control_caller = connect("https://localhost:15053", &control.directory, world).await?;
    let mut control = Side::new(&control, control_caller, Processes::default()).await?;
    control.stored.fill(10_u64.pow(LEAST), LEAST_PEOPLE).await?;
    let mut grown = Side::new(install, caller, processes).await?;

    let (mut levels, mut purge) = (Vec::new(), None);
    for exponent in LEAST..=highest {
        let level = Level::measure(exponent, &mut grown, &mut control).await?;
        eprintln!("{level}");
        levels.push(level);
        if exponent == highest.min(PURGED) {
            purge = Some(purge::measure(&mut grown, Pace::InFlight(PURGE_IN_FLIGHT)).await?);
        }
    }
    Ok(Growth { levels, purge })
}

impl Growth {
    /// The power of ten that was reached; Issue's p50 there as a multiple of that at 10^4; Issue's rate beside the purge as
    /// a part of that alone. Turn by turn.
    pub(super) fn ratios(&self) -> (u32, Vec<f64>, Vec<f64>) {
        let (exponent, issue) = self.levels.last().map_or((HIGHEST, &[][..]), |level| (level.exponent, &level.issue));
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
                "; {name} p50 {:.2} ms, p99 {:.2} ms (at 10^{LEAST}: {:.2}, {:.2})",
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
    async fn measure(exponent: u32, grown: &mut Side, control: &mut Side) -> anyhow::Result<Self> {
        let requests = 10_u64.pow(exponent);
        let people = LEAST_PEOPLE.max(requests / 10);
        eprintln!("filling to 10^{exponent} requests");
        let start = Instant::now();
        grown.stored.fill(requests, people).await?;
        let fill_seconds = start.elapsed().as_secs_f64();
        let bytes_per_request = grown.stored.size().await? as f64 / requests as f64;
        let (mut issue, mut check_eligibility) = (Vec::new(), Vec::new());
        // Plans are made anew for the new figures.
        grown.one_in_flight(Call::Issue, CALLS).await?;
        control.one_in_flight(Call::Issue, CALLS).await?;
        for _ in 0..TURNS {
            for (call, reports) in [(Call::Issue, &mut issue), (Call::CheckEligibility, &mut check_eligibility)] {
                let of_grown = grown.one_in_flight(call, CALLS).await?;
                reports.push([of_grown, control.one_in_flight(call, CALLS).await?]);
            }
        }
        Ok(Self { exponent, people, fill_seconds, bytes_per_request, issue, check_eligibility })
    }
}

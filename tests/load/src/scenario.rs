//! A run: which calls, how many, and how fast.

use std::io::{IsTerminal as _, Write as _};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use clap::builder::PossibleValue;
use clap::{Args, ValueEnum};
use made_up_world::indexed_people::{IndexedPerson, MAX_PERSONS};

use crate::calls::{Call, Caller, MakeCalls};
use crate::clients::{Clients, Target};
use crate::deliveries::Deliveries;
use crate::drive::{self, Pace};
use crate::process::{ProcessTree, own_cpu_time};
use crate::report::Report;
use crate::world::World;
use crate::{Output, Processes, WorldAddresses};

#[derive(Args)]
pub(crate) struct Run {
    /// The calls to make.
    #[arg(value_enum)]
    scenario: Scenario,
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    world: WorldAddresses,
    #[command(flatten)]
    processes: Processes,
    /// How many calls. Each is for a different person.
    #[arg(long, default_value_t = 10_000)]
    calls: u64,
    /// The index of the first person. Each person can be used once, so a later run must begin after the last person of the
    /// earlier run.
    #[arg(long, default_value_t = 0)]
    first_person: u64,
    /// Closed loop: keep this many calls in flight.
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..))]
    in_flight: u16,
    /// Open loop: start this many calls per second, without waiting for answers.
    #[arg(long, conflicts_with = "in_flight")]
    per_second: Option<f64>,
    #[command(flatten)]
    output: Output,
}

/// Which calls a run makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scenario {
    /// One kind of call alone.
    Only(Call),
    /// A mix of all calls, roughly as on a normal day: mostly look-ups, fewer orders, few repeats.
    Mix,
}

impl ValueEnum for Scenario {
    fn value_variants<'a>() -> &'a [Self] {
        static ALL: LazyLock<Vec<Scenario>> = LazyLock::new(|| {
            Call::value_variants().iter().copied().map(Scenario::Only).chain([Scenario::Mix]).collect()
        });
        &ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        match self {
            Self::Only(call) => call.to_possible_value(),
            Self::Mix => Some(PossibleValue::new("mix").help("A mix of all calls, roughly as on a normal day")),
        }
    }
}

impl Scenario {
    /// Each call, and how often a round has it.
    fn shares(self) -> Vec<(Call, usize)> {
        match self {
            Self::Only(call) => vec![(call, 1)],
            Self::Mix => vec![
                (Call::CheckEligibility, 8),
                (Call::VerifyWeb, 3),
                (Call::VerifyPhone, 2),
                (Call::Answer, 2),
                (Call::VerifyCounter, 1),
                (Call::Issue, 2),
                (Call::Resend, 1),
                (Call::Replay, 1),
                (Call::Redeem, 1),
            ],
        }
    }

    /// Lists `count` calls. Each is for a different person.
    pub(crate) fn calls(self, count: u64, first_person: u64) -> Vec<(Call, IndexedPerson)> {
        let round: Vec<Call> =
            self.shares().into_iter().flat_map(|(call, times)| std::iter::repeat_n(call, times)).collect();
        let persons = (first_person..first_person + count).map(IndexedPerson);
        round.into_iter().cycle().zip(persons).collect()
    }

    pub(crate) fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }
}

/// Runs against a service that was started already.
pub(crate) async fn run(run: &Run) -> anyhow::Result<()> {
    let world = Arc::new(World::serve(&run.world, &run.target.certificates).await?);
    let caller = Arc::new(Caller::new(Clients::connect(&run.target).await?, world)?);
    let pace = run.per_second.map_or(Pace::InFlight(run.in_flight.into()), Pace::PerSecond);
    let report = measure(&caller, run.scenario, run.calls, run.first_person, pace, &run.processes).await?;
    print!("{report}");
    if let Some(path) = &run.output.json {
        let json = serde_json::to_vec_pretty(&report)?;
        std::fs::write(path, json).with_context(|| format!("cannot write {}", path.display()))?;
    }
    ensure!(report.failures.is_empty(), "some calls failed");
    Ok(())
}

/// Prepares and makes calls, and measures what they cost.
pub(crate) async fn measure(
    caller: &Arc<Caller>,
    scenario: Scenario,
    count: u64,
    first_person: u64,
    pace: Pace,
    processes: &Processes,
) -> anyhow::Result<Report> {
    ensure!(
        count > 0 && first_person + count <= MAX_PERSONS,
        "calls must be positive, and first person + calls at most {}",
        MAX_PERSONS
    );
    let calls = drive::prepare(caller, &scenario.calls(count, first_person)).await.context("preparing the calls")?;
    measure_ready(caller, scenario.name(), calls, pace, processes).await
}

/// Makes prepared calls, and measures what they cost.
pub(crate) async fn measure_ready<M: MakeCalls>(
    caller: &Arc<M>,
    scenario: String,
    calls: Vec<M::Ready>,
    pace: Pace,
    processes: &Processes,
) -> anyhow::Result<Report> {
    let deliveries = caller.deliveries();
    deliveries.forget_pins();
    settle(deliveries).await;
    let processes_by_name =
        [("service", processes.service_pid), ("postgres", processes.postgres_pid), ("redis", processes.redis_pid)];
    let read_cpu_times = || processes_by_name.map(|(name, pid)| pid.map(|pid| (name, ProcessTree(pid).cpu_time())));
    if let Some(pid) = processes.service_pid {
        ProcessTree(pid).reset_peak_memory();
    }
    let (before, own_before, messages) = (read_cpu_times(), own_cpu_time(), deliveries.count());
    let measured = drive::run(caller, calls, pace, show_progress).await?;
    // Messages are sent after the answer. Their cost is part of the cost of the call.
    settle(deliveries).await;
    let mut report = Report::new(scenario, pace, &measured);
    for (before, after) in before.into_iter().zip(read_cpu_times()) {
        if let (Some((name, before)), Some((_, after))) = (before, after) {
            report.add_cost(name, after.saturating_sub(before));
        }
    }
    report.add_cost("load", own_cpu_time().saturating_sub(own_before));
    report.service_peak_memory_kib = processes.service_pid.and_then(|pid| ProcessTree(pid).peak_memory());
    report.messages = deliveries.count() - messages;
    report.messages_per_second = deliveries.per_second(measured.start, report.messages);
    Ok(report)
}

/// After this time without a new message, all messages are taken to have arrived.
const SETTLE_TIME: Duration = Duration::from_millis(300);

/// Waits until no new message arrives.
pub(crate) async fn settle(deliveries: &Deliveries) {
    let mut count = deliveries.count();
    loop {
        tokio::time::sleep(SETTLE_TIME).await;
        let new_count = deliveries.count();
        if new_count == count {
            return;
        }
        count = new_count;
    }
}

fn show_progress(done: usize, total: usize) {
    let mut terminal = std::io::stderr();
    if terminal.is_terminal() {
        let _ = write!(terminal, "\r{done} of {total} calls ");
        if done == total {
            let _ = writeln!(terminal);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_call_of_a_mix_is_for_a_different_person() {
        // Ten rounds of 21 calls, with 8 look-ups in each.
        let calls = Scenario::Mix.calls(210, 5);
        let persons: BTreeSet<u64> = calls.iter().map(|(_, person)| person.0).collect();
        assert_eq!(persons, (5..215).collect());
        assert_eq!(calls.iter().filter(|(call, _)| *call == Call::CheckEligibility).count(), 80);
    }
}

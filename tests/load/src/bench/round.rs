//! One round of measurements: every program in turn.

use std::sync::Arc;

use serde::Serialize;
use uuid::Uuid;

use super::arguments::BenchArguments;
use super::limits;
use super::statement::StatementBench;
use crate::Processes;
use crate::calls::{Call, Caller, Ready};
use crate::drive::{self, Pace};
use crate::report::Report;
use crate::scenario::{Scenario, measure};

/// Calls in flight, and clients of pgbench, where the two are compared.
pub(super) const IN_FLIGHT: u16 = 16;

/// Calls in flight when the peak of memory is measured.
pub(super) const IN_FLIGHT_FOR_MEMORY: u16 = 256;

/// Further numbers of clients of pgbench, to find its best rate.
const OTHER_CLIENTS: [u16; 3] = [8, 32, 64];

const VERIFICATION_ID_LENGTH: usize = 200;

/// The measurements of one round.
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
    /// The service, then the peer, for each turn.
    pub(crate) peer: Vec<[Report; 2]>,
}

impl Round {
    /// The reports of all calls.
    pub(crate) fn reports(&self) -> impl Iterator<Item = &Report> {
        let Self { bare, bare_one, issue, issue_one, issue_half_peak, issue_many, check_eligibility, peer, .. } = self;
        let own = [bare, bare_one, issue, issue_one, issue_half_peak, issue_many, check_eligibility];
        own.into_iter().chain(peer.iter().flatten())
    }
}

/// Makes all measurements once, but for the peer.
pub(super) async fn measure_round(
    bench: &BenchArguments,
    statement: &StatementBench,
    caller: &Arc<Caller>,
    bare: &Arc<Caller>,
    processes: &Processes,
    persons: &mut FreshPersons,
) -> anyhow::Result<Round> {
    let (many, few) = (bench.calls, bench.calls / 10);
    let pace = Pace::InFlight(IN_FLIGHT.into());
    let mut statements = Vec::new();
    for clients in [1, IN_FLIGHT] {
        let count = if clients == 1 { few } else { many };
        statements.push(statement.run(clients, count).await?);
    }
    let issue = measure(caller, Scenario::Only(Call::Issue), many, persons.take(many), pace, processes).await?;
    for clients in OTHER_CLIENTS {
        statements.push(statement.run(clients, many).await?);
    }
    let half = Pace::PerSecond(issue.per_second / 2.0);
    Ok(Round {
        script: vec![limits::script(bench, 1).await?, limits::script(bench, IN_FLIGHT).await?],
        bare: measure_bare(bare, many, pace).await?,
        check_eligibility: measure(caller, Scenario::Only(Call::CheckEligibility), many, 0, pace, processes).await?,
        bare_one: measure_bare(bare, few, Pace::InFlight(1)).await?,
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
            let pace = Pace::InFlight(IN_FLIGHT_FOR_MEMORY.into());
            measure(caller, Scenario::Only(Call::Issue), many / 2, persons.take(many / 2), pace, processes).await?
        },
        statement: statements,
        issue,
        peer: Vec::new(),
    })
}

/// Measures the bare service with calls for a PIN.
async fn measure_bare(bare: &Arc<Caller>, count: u64, pace: Pace) -> anyhow::Result<Report> {
    // As long as a real verification id.
    let order = |_| Ready::Issue { request_id: Uuid::nil(), verification_id: "v".repeat(VERIFICATION_ID_LENGTH) };
    let measured = drive::run(bare, (0..count).map(order).collect(), pace, |_, _| {}).await?;
    Ok(Report::new("bare tonic".to_owned(), pace, &measured))
}

/// Gives out persons who have had no PIN yet, by index.
#[derive(Default)]
pub(super) struct FreshPersons(u64);

impl FreshPersons {
    /// Gives out `count` persons; answers the index of the first.
    pub(super) fn take(&mut self, count: u64) -> u64 {
        let first = self.0;
        self.0 += count;
        first
    }
}

//! One round of measurements: every program in turn.

use std::sync::Arc;
use std::time::Duration;

use made_up_world::gateway::GatewayMode;
use serde::Serialize;
use uuid::Uuid;

use super::arguments::BenchArguments;
use super::fresh_persons::FreshPersons;
use super::limits;
use super::subjects::Subjects;
use super::under_test::{ServiceUnderTest, TwoProcesses};
use super::yardstick::Statement;
use crate::Processes;
use crate::calls::{Call, Caller, Ready};
use crate::drive::Pace;
use crate::report::Report;
use crate::scenario::{Scenario, measure, measure_ready};

/// Calls in flight when rates are compared.
pub(super) const IN_FLIGHT: u16 = 32;

/// Clients of pgbench and redis-benchmark. The four writes are fastest with this number.
pub(super) const YARDSTICK_CLIENTS: u16 = 16;

/// Calls in flight when the peak of memory is measured, and when the gateway is slow.
pub(super) const MANY_IN_FLIGHT: u16 = 256;

/// The delay of the answers of the slow gateway.
pub(super) const SLOW_GATEWAY_DELAY: Duration = Duration::from_millis(100);

/// How often the service and its baseline are measured in a round.
const BASELINE_TURNS: usize = 2;

const VERIFICATION_ID_LENGTH: usize = 200;

/// The measurements of one round.
#[derive(Serialize)]
pub(crate) struct Round {
    /// pgbench with the four writes, by its number of clients.
    pub(crate) four_writes: Vec<limits::YardstickResult>,
    /// pgbench with the insert of one row, by its number of clients.
    pub(crate) one_row: Vec<limits::YardstickResult>,
    /// redis-benchmark with the guard's script, by its number of clients.
    pub(crate) script: Vec<limits::YardstickResult>,
    pub(crate) bare_one: Report,
    pub(crate) bare_check_eligibility: Report,
    pub(crate) issue: Report,
    pub(crate) wal_bytes_per_pin: f64,
    pub(crate) issue_one: Report,
    pub(crate) issue_half_peak: Report,
    pub(crate) issue_many: Report,
    /// With a gateway that answers after [`SLOW_GATEWAY_DELAY`].
    pub(crate) issue_slow_gateway: Report,
    pub(crate) two_processes: TwoProcesses,
    pub(crate) check_eligibility: Report,
    /// The service, then the baseline, for each turn, with [`IN_FLIGHT`] calls in flight.
    pub(crate) baseline: Vec<[Report; 2]>,
    /// The same with one call in flight.
    pub(crate) baseline_one: Vec<[Report; 2]>,
    /// The service, then the peer, for each turn.
    pub(crate) peer: Vec<[Report; 2]>,
}

impl Round {
    /// The reports of all calls, except those of the two processes.
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

    /// The number of failed calls.
    pub(super) fn failures(&self) -> u64 {
        self.reports().flat_map(|report| report.failures.values()).sum::<u64>() + self.two_processes.failures
    }
}

/// Makes all measurements once, except those of the peer.
pub(super) async fn measure_round(
    bench: &BenchArguments,
    subjects: &Subjects,
    persons: &mut FreshPersons,
) -> anyhow::Result<Round> {
    let Subjects { yardstick, service, second, baseline, bare, bare_processes, world, .. } = subjects;
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
        bare_one: measure_bare(bare, few, one, bare_processes).await?,
        issue_one: service.issue(persons, few, one).await?,
        issue_half_peak: service.issue(persons, many / 2, half).await?,
        issue_many: service.issue(persons, many / 2, Pace::InFlight(MANY_IN_FLIGHT.into())).await?,
        issue_slow_gateway: {
            world.gateway.mode.set(GatewayMode::Slow(SLOW_GATEWAY_DELAY));
            let report = service.issue(persons, many / 2, Pace::InFlight(MANY_IN_FLIGHT.into())).await;
            world.gateway.mode.set(GatewayMode::Accept);
            Report { scenario: "issue, slow gateway".to_owned(), ..report? }
        },
        baseline: measure_beside_baseline(service, baseline.as_ref(), persons, many / 4, peak).await?,
        baseline_one: measure_beside_baseline(service, baseline.as_ref(), persons, few, one).await?,
        issue,
        peer: Vec::new(),
    })
}

/// Issues PINs with the service and with its baseline in turn. Empty without a baseline.
async fn measure_beside_baseline(
    service: &ServiceUnderTest,
    baseline: Option<&ServiceUnderTest>,
    persons: &mut FreshPersons,
    count: u64,
    pace: Pace,
) -> anyhow::Result<Vec<[Report; 2]>> {
    let mut turns = Vec::new();
    if let Some(baseline) = baseline {
        for _ in 0..BASELINE_TURNS {
            let other = baseline.issue(persons, count, pace).await?;
            let own = service.issue(persons, count, pace).await?;
            turns.push([own, Report { scenario: "issue, baseline".to_owned(), ..other }]);
        }
    }
    Ok(turns)
}

/// Measures the bare service with calls for a PIN.
async fn measure_bare(bare: &Arc<Caller>, count: u64, pace: Pace, processes: &Processes) -> anyhow::Result<Report> {
    // As long as a real verification id.
    let order = |_| Ready::Issue { request_id: Uuid::nil(), verification_id: "v".repeat(VERIFICATION_ID_LENGTH) };
    measure_ready(bare, "bare tonic, issue".to_owned(), (0..count).map(order).collect(), pace, processes).await
}

//! The rows of the report: the measurements, mostly one for each round, and the targets for their median.

use serde::Serialize;

use super::arguments::HIGHEST_EXPONENT;
use super::growth::Growth;
use super::limits::YardstickResult;
use super::round::{IN_FLIGHT, MANY_IN_FLIGHT, Round, SLOW_GATEWAY_DELAY, YARDSTICK_CLIENTS};
use super::spread::Spread;
use crate::report::Report;

/// A row of the report.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Row {
    pub(crate) measure: String,
    /// The option that makes the bench measure it, or `always`.
    pub(crate) option: &'static str,
    /// `None`: the run did not measure it.
    pub(crate) spread: Option<Spread>,
    /// The value at commit 54b6a3e, for comparison.
    pub(crate) before: &'static str,
    pub(crate) target: Target,
    /// A target beyond the target. `None`: the target is enough.
    pub(crate) stretch_target: Option<Target>,
}

impl Row {
    /// The median of the measurements.
    pub(crate) fn measured(&self) -> Option<f64> {
        self.spread.map(|spread| spread.median)
    }
}

/// A bound for a row.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Target {
    AtLeast(f64),
    AtMost(f64),
}

impl Target {
    pub(crate) fn is_met_by(self, measured: f64) -> bool {
        match self {
            Self::AtLeast(bound) => measured >= bound,
            Self::AtMost(bound) => measured <= bound,
        }
    }

    pub(crate) fn text(self) -> String {
        match self {
            Self::AtLeast(bound) => format!("≥ {bound}"),
            Self::AtMost(bound) => format!("≤ {bound}"),
        }
    }

    /// How close `measured` is to the bound: 1 meets it.
    pub(crate) fn ratio(self, measured: f64) -> f64 {
        match self {
            Self::AtLeast(bound) => measured / bound,
            Self::AtMost(bound) => bound / measured,
        }
    }
}

/// The measurements that are made once, not in each round.
pub(crate) struct MeasuredOnce<'a> {
    pub(crate) growth: Option<&'a Growth>,
    pub(crate) cold_starts_ms: &'a [f64],
    pub(crate) idle_connections_mib: Option<f64>,
}

pub(crate) fn table(rounds: &[Round], once: &MeasuredOnce<'_>) -> Vec<Row> {
    use Target::{AtLeast, AtMost};
    let per_round = |value_of: &dyn Fn(&Round) -> f64| rounds.iter().map(value_of).collect::<Vec<f64>>();
    let per_turn = |reports_of: fn(&Round) -> &Vec<[Report; 2]>, ratio: fn(&Report, &Report) -> f64| {
        rounds.iter().flat_map(reports_of).map(|[own, other]| ratio(own, other)).collect::<Vec<f64>>()
    };
    let (highest, growth_ratios, purge_ratios) =
        once.growth.map(Growth::ratios).unwrap_or((HIGHEST_EXPONENT, Vec::new(), Vec::new()));
    let row = |measure: String, option, values: Vec<f64>, before, target, stretch_target| Row {
        measure,
        option,
        spread: Spread::from_values(values),
        before,
        target,
        stretch_target,
    };
    vec![
        row(
            format!("Issue/s, {IN_FLIGHT} in flight ÷ four writes in one statement, {YARDSTICK_CLIENTS} clients"),
            "--rounds",
            per_round(&|round| {
                round.issue.per_second / find_yardstick(&round.four_writes, YARDSTICK_CLIENTS).per_second
            }),
            "0.23, 0.23, 0.28",
            AtLeast(0.4),
            Some(AtLeast(0.6)),
        ),
        row(
            format!("Postgres + service + Redis CPU per PIN ÷ the baseline's, {IN_FLIGHT} in flight"),
            "--baseline",
            per_turn(|round| &round.baseline, |own, baseline| own.server_cpu_us() / baseline.server_cpu_us()),
            "1",
            AtMost(0.55),
            Some(AtMost(0.45)),
        ),
        row(
            "Postgres CPU per PIN ÷ the baseline's, 1 in flight".to_owned(),
            "--baseline",
            per_turn(|round| &round.baseline_one, |own, baseline| cpu(own, "postgres") / cpu(baseline, "postgres")),
            "1",
            AtMost(0.5),
            Some(AtMost(0.35)),
        ),
        row(
            format!("Issue/s ÷ better-auth's codes/s, {IN_FLIGHT} in flight"),
            "--peer",
            per_turn(|round| &round.peer, |own, peer| own.per_second / peer.per_second),
            "2.7",
            AtLeast(4.5),
            Some(AtLeast(8.0)),
        ),
        row(
            "Issue, 1 in flight: p50 ÷ (bare tonic + script + one-row insert p50s)".to_owned(),
            "--rounds",
            per_round(&|round| {
                let script = find_yardstick(&round.script, 1).p50_ms;
                let sum = round.bare_one.latency_ms.p50 + script + find_yardstick(&round.one_row, 1).p50_ms;
                round.issue_one.latency_ms.p50 / sum
            }),
            "about 4",
            AtMost(2.5),
            Some(AtMost(1.8)),
        ),
        row(
            "CheckEligibility: service CPU ÷ (bare tonic server + client call)".to_owned(),
            "--rounds",
            per_round(&|round| {
                let bare = &round.bare_check_eligibility;
                cpu(&round.check_eligibility, "service") / (cpu(bare, "service") + cpu(bare, "load"))
            }),
            "about 3.5",
            AtMost(2.5),
            Some(AtMost(2.0)),
        ),
        row(
            "WAL per PIN, kB".to_owned(),
            "--rounds",
            per_round(&|round| round.wal_bytes_per_pin / 1000.0),
            "4–5",
            AtMost(3.0),
            Some(AtMost(2.2)),
        ),
        row(
            format!(
                "CPU per PIN of two processes with {} in flight each ÷ one process with {IN_FLIGHT}",
                IN_FLIGHT / 2
            ),
            "--rounds",
            per_round(&|round| round.two_processes.server_cpu_us / round.issue.server_cpu_us()),
            "about 1.4",
            AtMost(1.2),
            Some(AtMost(1.1)),
        ),
        row(
            format!(
                "Messages/s of one process, gateway of {} ms, {MANY_IN_FLIGHT} in flight",
                SLOW_GATEWAY_DELAY.as_millis()
            ),
            "--rounds",
            per_round(&|round| round.issue_slow_gateway.messages_per_second.unwrap_or(f64::NAN)),
            "about 550",
            AtLeast(2000.0),
            None,
        ),
        row(
            "Memory with 10,000 idle TLS connections, MiB".to_owned(),
            "--idle-connections",
            once.idle_connections_mib.into_iter().collect(),
            "289",
            AtMost(200.0),
            None,
        ),
        row(
            format!("Peak memory at {MANY_IN_FLIGHT} in flight, MiB"),
            "--rounds",
            per_round(&|round| round.issue_many.service_peak_memory_kib.map_or(f64::NAN, |kib| kib as f64 / 1024.0)),
            "42",
            AtMost(42.0),
            None,
        ),
        row(
            format!("Issue, 1 in flight: p50 at 10^{highest} stored requests ÷ at 10^4"),
            "--growth",
            growth_ratios,
            "1.04",
            AtMost(1.04),
            None,
        ),
        row(
            "Issue/s while old rows are purged ÷ Issue/s without a purge".to_owned(),
            "--growth",
            purge_ratios,
            "0.92",
            AtLeast(0.92),
            None,
        ),
        row("Cold start to SERVING, ms".to_owned(), "always", once.cold_starts_ms.to_vec(), "50", AtMost(50.0), None),
        row(
            "Issue at half of its peak rate: p99 ÷ p50".to_owned(),
            "--rounds",
            per_round(&|round| round.issue_half_peak.latency_ms.p99 / round.issue_half_peak.latency_ms.p50),
            "3.6",
            AtMost(10.0),
            Some(AtMost(4.0)),
        ),
    ]
}

/// CPU time per call of one process, in microseconds. NaN if it was not measured.
fn cpu(report: &Report, process: &str) -> f64 {
    report.cpu_us_per_call.get(process).copied().unwrap_or(f64::NAN)
}

/// The measurement with this number of clients. All NaN if there is none.
fn find_yardstick(yardsticks: &[YardstickResult], clients: u16) -> YardstickResult {
    let not_measured =
        YardstickResult { clients, per_second: f64::NAN, p50_ms: f64::NAN, p99_ms: f64::NAN, server_cpu_us: None };
    yardsticks.iter().find(|yardstick| yardstick.clients == clients).cloned().unwrap_or(not_measured)
}

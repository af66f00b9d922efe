//! The rows of the report: a ratio for each round, and the targets of its median.

use serde::Serialize;

use super::arguments::HIGHEST_EXPONENT;
use super::growth::Growth;
use super::limits::Limit;
use super::peer;
use super::round::{IN_FLIGHT, IN_FLIGHT_FOR_MEMORY, Round};
use super::spread::Spread;

/// A row of the report. Empty if the run did not measure it.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Row {
    pub(crate) measure: String,
    /// The option that makes the bench measure it.
    pub(crate) option: &'static str,
    pub(crate) spread: Option<Spread>,
    pub(crate) target: Target,
    pub(crate) goal: Target,
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

pub(crate) fn table(rounds: &[Round], growth: Option<&Growth>, cold_starts_ms: &[f64]) -> Vec<Row> {
    use Target::{AtLeast, AtMost};
    let cpu = |round: &Round, process: &str| round.issue.cpu_us_per_call.get(process).copied().unwrap_or(f64::NAN);
    let row = |measure: String, of: &dyn Fn(&Round) -> f64, target, goal| Row {
        measure,
        option: "--rounds",
        spread: Spread::from_values(rounds.iter().map(of)),
        target,
        goal,
    };
    let turns = rounds.iter().flat_map(|round| &round.peer);
    let (highest, issue, beside_purge) =
        growth.map(Growth::ratios).unwrap_or((HIGHEST_EXPONENT, Vec::new(), Vec::new()));
    vec![
        row(
            format!("IssueTemporaryPin/s ÷ pgbench with the same statement, {IN_FLIGHT} clients"),
            &|round| round.issue.per_second / with(&round.statement, IN_FLIGHT).per_second,
            AtLeast(0.55),
            AtLeast(1.2),
        ),
        row(
            "Issue, one in flight: p50 ÷ (bare tonic + script + statement p50s)".to_owned(),
            &|round| {
                let sum =
                    round.bare_one.latency_ms.p50 + with(&round.script, 1).p50_ms + with(&round.statement, 1).p50_ms;
                round.issue_one.latency_ms.p50 / sum
            },
            AtMost(2.0),
            AtMost(1.5),
        ),
        row(
            "Issue at half of its peak rate: p99 ÷ p50".to_owned(),
            &|round| round.issue_half_peak.latency_ms.p99 / round.issue_half_peak.latency_ms.p50,
            AtMost(10.0),
            AtMost(4.0),
        ),
        row(
            "CheckEligibility/s ÷ bare tonic".to_owned(),
            &|round| round.check_eligibility.per_second / round.bare.per_second,
            AtLeast(0.4),
            AtLeast(0.7),
        ),
        row(
            "Service CPU per issued PIN ÷ Postgres CPU per issued PIN".to_owned(),
            &|round| cpu(round, "service") / cpu(round, "postgres"),
            AtMost(0.6),
            AtMost(0.25),
        ),
        row(
            format!("Peak memory at {IN_FLIGHT_FOR_MEMORY} in flight, MiB"),
            &|round| round.issue_many.service_peak_memory_kib.map_or(f64::NAN, |kib| kib as f64 / 1024.0),
            AtMost(96.0),
            AtMost(48.0),
        ),
        Row {
            measure: format!("IssueTemporaryPin/s ÷ better-auth's sent codes/s, {} in flight", peer::IN_FLIGHT),
            option: "--peer",
            spread: Spread::from_values(turns.map(|[issue, peer]| issue.per_second / peer.per_second)),
            target: AtLeast(3.0),
            goal: AtLeast(8.0),
        },
        Row {
            measure: "Cold start to SERVING, ms".to_owned(),
            option: "always",
            spread: Spread::from_values(cold_starts_ms.iter().copied()),
            target: AtMost(300.0),
            goal: AtMost(300.0),
        },
        Row {
            measure: format!("Issue, one in flight: p50 at 10^{highest} stored requests ÷ at 10^4"),
            option: "--growth",
            spread: Spread::from_values(issue),
            target: AtMost(1.3),
            goal: AtMost(1.1),
        },
        Row {
            measure: "Issue/s while old rows are purged ÷ without".to_owned(),
            option: "--growth",
            spread: Spread::from_values(beside_purge),
            target: AtLeast(0.8),
            goal: AtLeast(0.95),
        },
    ]
}

fn with(limits: &[Limit], clients: u16) -> Limit {
    let none = Limit { clients, per_second: f64::NAN, p50_ms: f64::NAN, p99_ms: f64::NAN, server_cpu_us: None };
    limits.iter().find(|limit| limit.clients == clients).cloned().unwrap_or(none)
}

//! The rows of the report: a ratio of each round, its median, and how far that is from the targets.

use std::fmt::Write as _;

use serde::Serialize;

use super::growth::{Growth, HIGHEST};
use super::limits::Limit;
use super::{IN_FLIGHT, MANY, Round};

/// One measure. Nothing is measured where a run leaves it out.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Row {
    pub(crate) measure: String,
    /// The median of the rounds.
    pub(crate) measured: Option<f64>,
    /// The least and the most of the rounds.
    pub(crate) least: Option<f64>,
    pub(crate) most: Option<f64>,
    pub(crate) target: Target,
    pub(crate) goal: Target,
}

impl Row {
    /// Of the rounds' values.
    pub(crate) fn new(measure: String, mut values: Vec<f64>, target: Target, goal: Target) -> Self {
        values.sort_by(f64::total_cmp);
        let (least, most) = (values.first().copied(), values.last().copied());
        Self { measure, measured: values.get(values.len() / 2).copied(), least, most, target, goal }
    }
}

/// What a measure shall be.
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

    fn text(self) -> String {
        match self {
            Self::AtLeast(bound) => format!("≥ {bound}"),
            Self::AtMost(bound) => format!("≤ {bound}"),
        }
    }

    /// How far the measured is, as a part of the way: 1 is there.
    pub(crate) fn reached(self, measured: f64) -> f64 {
        match self {
            Self::AtLeast(bound) => measured / bound,
            Self::AtMost(bound) => bound / measured,
        }
    }
}

/// All rows.
pub(crate) fn table(rounds: &[Round], growth: Option<&Growth>, cold_starts_ms: &[f64]) -> Vec<Row> {
    use Target::{AtLeast, AtMost};
    let cpu = |round: &Round, process: &str| round.issue.cpu_us_per_call.get(process).copied().unwrap_or(f64::NAN);
    let row = |measure: String, of: &dyn Fn(&Round) -> f64, target, goal| {
        Row::new(measure, rounds.iter().map(of).collect(), target, goal)
    };
    let (highest, issue, beside_purge) = growth.map(Growth::ratios).unwrap_or((HIGHEST, Vec::new(), Vec::new()));
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
            format!("Peak memory at {MANY} in flight, MiB"),
            &|round| round.issue_many.service_peak_memory_kib.map_or(f64::NAN, |kib| kib as f64 / 1024.0),
            AtMost(96.0),
            AtMost(48.0),
        ),
        // Nothing runs it yet.
        Row::new("Issued PINs/s ÷ better-auth's sent codes/s".to_owned(), Vec::new(), AtLeast(3.0), AtLeast(8.0)),
        Row::new("Cold start to SERVING, ms".to_owned(), cold_starts_ms.to_vec(), AtMost(300.0), AtMost(300.0)),
        Row::new(
            format!("Issue, one in flight: p50 at 10^{highest} stored requests ÷ at 10^4"),
            issue,
            AtMost(1.3),
            AtMost(1.1),
        ),
        Row::new("Issue/s while old rows are purged ÷ without".to_owned(), beside_purge, AtLeast(0.8), AtLeast(0.95)),
    ]
}

fn with(limits: &[Limit], clients: u16) -> Limit {
    let none = Limit { clients, per_second: f64::NAN, p50_ms: f64::NAN, p99_ms: f64::NAN, server_cpu_us: None };
    limits.iter().find(|limit| limit.clients == clients).cloned().unwrap_or(none)
}

/// The report for people: the rows, and what they were made of in the round in the middle.
pub(crate) fn markdown(rows: &[Row], rounds: &[Round], growth: Option<&Growth>) -> String {
    let mut text = String::from("| measure | measured (least–most) | first target | goal |\n|---|---|---|---|\n");
    for Row { measure, measured, least, most, target, goal } in rows {
        let (first, last) = (target.text(), goal.text());
        let (Some(measured), Some(least), Some(most)) = (measured, least, most) else {
            let _ = writeln!(text, "| {measure} | not measured in this run | {first} | {last} |");
            continue;
        };
        let mark = |bound: Target| if bound.is_met_by(*measured) { "met" } else { "**falls short**" };
        let _ = writeln!(
            text,
            "| {measure} | {measured:.2} ({least:.2}–{most:.2}) | {first}: {} | {last}: {} |",
            mark(*target),
            mark(*goal)
        );
    }
    text.push_str("\nNot measured in this run: the peer.\n\n");
    if let Some(growth) = growth {
        let _ = writeln!(text, "{growth}");
    }
    text.push_str("| | per second | p50 ms | p99 ms | CPU µs per operation |\n|---|---|---|---|---|\n");
    let Some(round) = rounds.get(rounds.len() / 2) else { return text };
    for (name, limits) in [("pgbench, issue statement", &round.statement), ("redis-benchmark, script", &round.script)] {
        for Limit { clients, per_second, p50_ms, p99_ms, server_cpu_us } in limits {
            let cpu = server_cpu_us.map(|us| format!("server {us:.0}")).unwrap_or_default();
            let _ =
                writeln!(text, "| {name}, {clients} clients | {per_second:.0} | {p50_ms:.2} | {p99_ms:.2} | {cpu} |");
        }
    }
    for report in round.reports() {
        let pace = report.in_flight.map_or_else(|| "open loop".to_owned(), |count| format!("{count} in flight"));
        let costs: Vec<String> = report.cpu_us_per_call.iter().map(|(name, us)| format!("{name} {us:.0}")).collect();
        let failed: u64 = report.failures.values().sum();
        let failed = if failed == 0 { String::new() } else { format!(", {failed} FAILED") };
        let latency = &report.latency_ms;
        let _ = writeln!(
            text,
            "| {}, {pace}{failed} | {:.0} | {:.2} | {:.2} | {} |",
            report.scenario,
            report.per_second,
            latency.p50,
            latency.p99,
            costs.join(", ")
        );
    }
    text
}

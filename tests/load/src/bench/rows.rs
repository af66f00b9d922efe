//! The rows of the report: a ratio of each round, its median, and how far that is from the targets.

use std::fmt::{self, Write as _};

use serde::Serialize;

use super::growth::{Growth, HIGHEST};
use super::limits::Limit;
use super::{IN_FLIGHT, MANY, Round, peer};
use crate::report::Report;

/// One measure. Nothing is measured where a run leaves it out.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Row {
    pub(crate) measure: String,
    /// What makes the bench measure it.
    pub(crate) option: &'static str,
    pub(crate) spread: Option<Spread>,
    pub(crate) target: Target,
    pub(crate) goal: Target,
}

impl Row {
    /// The median of what was measured.
    pub(crate) fn measured(&self) -> Option<f64> {
        self.spread.map(|spread| spread.median)
    }
}

/// The values of the rounds.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) least: f64,
    pub(crate) most: f64,
}

impl Spread {
    fn from_values(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let (least, most) = (*values.first()?, *values.last()?);
        let median = f64::midpoint(values[(values.len() - 1) / 2], values[values.len() / 2]);
        Some(Self { median, least, most })
    }
}

/// The median; no number where there are no values.
pub(super) fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    Spread::from_values(values).map_or(f64::NAN, |spread| spread.median)
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { median, least, most } = self;
        let precision = f.precision().unwrap_or(2);
        write!(f, "{median:.precision$} ({least:.precision$}–{most:.precision$})")
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
    let row = |measure: String, of: &dyn Fn(&Round) -> f64, target, goal| Row {
        measure,
        option: "--rounds",
        spread: Spread::from_values(rounds.iter().map(of)),
        target,
        goal,
    };
    let turns = rounds.iter().flat_map(|round| &round.peer);
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

/// What there is to say beside the rows, one line each.
fn notes(rounds: &[Round]) -> String {
    let mut text = String::new();
    let best = |round: &Round| {
        round.statement.iter().max_by(|one, other| one.per_second.total_cmp(&other.per_second)).cloned()
    };
    let best: Vec<(&Round, Limit)> = rounds.iter().filter_map(|round| Some((round, best(round)?))).collect();
    if let Some(ratio) =
        Spread::from_values(best.iter().map(|(round, limit)| round.issue.per_second / limit.per_second))
    {
        let clients: Vec<String> = best.iter().map(|(_, limit)| limit.clients.to_string()).collect();
        let _ =
            writeln!(text, "- IssueTemporaryPin/s ÷ pgbench at its best, with {} clients: {ratio}", clients.join(", "));
    }
    let turns = || rounds.iter().flat_map(|round| &round.peer);
    let delivered = turns().filter_map(|[issue, peer]| Some(issue.messages_per_second? / peer.messages_per_second?));
    if let Some(ratio) = Spread::from_values(delivered) {
        let _ = writeln!(text, "- SMS at the gateway per second, of IssueTemporaryPin ÷ of better-auth: {ratio}");
    }
    let cpu = |of: fn(&[Report; 2]) -> &Report| Spread::from_values(turns().map(|turn| server_cpu(of(turn))));
    if let (Some(issue), Some(peer)) = (cpu(|[issue, _]| issue), cpu(|[_, peer]| peer)) {
        let _ =
            writeln!(text, "- CPU µs, Postgres and Redis included: {issue:.0} a PIN, {peer:.0} a code of better-auth");
    }
    text
}

/// CPU time per call of all but the load, in microseconds.
fn server_cpu(report: &Report) -> f64 {
    report.cpu_us_per_call.iter().filter(|(process, _)| *process != "load").map(|(_, us)| us).sum()
}

/// The report for people: the rows, and what they were made of in the round in the middle.
pub(crate) fn markdown(rows: &[Row], rounds: &[Round], growth: Option<&Growth>) -> String {
    let mut text = String::from("| measure | measured (least–most) | first target | goal |\n|---|---|---|---|\n");
    for Row { measure, option, spread, target, goal } in rows {
        let (first, last) = (target.text(), goal.text());
        let Some(spread) = spread else {
            let _ = writeln!(text, "| {measure} | not measured ({option}) | {first} | {last} |");
            continue;
        };
        let mark = |bound: Target| if bound.is_met_by(spread.median) { "met" } else { "**falls short**" };
        let _ = writeln!(text, "| {measure} | {spread} | {first}: {} | {last}: {} |", mark(*target), mark(*goal));
    }
    let _ = writeln!(text, "\n{}", notes(rounds));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_measured_names_its_option() {
        let table = table(&[], None, &[40.0, 60.0, 70.0, 54.0]);
        let text = markdown(&table, &[], None);
        let (missing, measured): (Vec<&str>, Vec<&str>) =
            text.lines().skip(2).filter(|line| line.starts_with("| ")).partition(|line| line.contains("not measured"));
        let named = |option: &str| missing.iter().filter(|line| line.contains(option)).count();
        assert_eq!((named("--rounds"), named("--peer"), named("--growth")), (6, 1, 2), "{text}");
        assert_eq!(measured[0], "| Cold start to SERVING, ms | 57.00 (40.00–70.00) | ≤ 300: met | ≤ 300: met |");
    }
}

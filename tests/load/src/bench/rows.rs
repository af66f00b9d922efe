//! The rows of the report: a ratio of each round, its median, and how far that is from the targets.

use std::fmt::{self, Write as _};

use serde::Serialize;

use super::growth::{Growth, HIGHEST};
use super::limits::Limit;
use super::{IN_FLIGHT, MANY, Round, SLOW_GATEWAY, YARDSTICK_CLIENTS};
use crate::report::Report;

/// One measure. Nothing is measured where a run leaves it out.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Row {
    pub(crate) measure: String,
    /// What makes the bench measure it.
    pub(crate) option: &'static str,
    pub(crate) spread: Option<Spread>,
    /// What was measured of commit 54b6a3e, before the hot path was rebuilt.
    pub(crate) before: &'static str,
    pub(crate) target: Target,
    /// What would be excellent. `None`: the target is enough.
    pub(crate) moonshot: Option<Target>,
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

/// What is measured once, not in each round.
pub(crate) struct MeasuredOnce<'a> {
    pub(crate) growth: Option<&'a Growth>,
    pub(crate) cold_starts_ms: &'a [f64],
    pub(crate) idle_connections_mib: Option<f64>,
}

/// All rows.
pub(crate) fn table(rounds: &[Round], once: &MeasuredOnce<'_>) -> Vec<Row> {
    use Target::{AtLeast, AtMost};
    let each = |of: &dyn Fn(&Round) -> f64| rounds.iter().map(of).collect::<Vec<f64>>();
    let turns = |of: fn(&Round) -> &Vec<[Report; 2]>, ratio: fn(&Report, &Report) -> f64| {
        rounds.iter().flat_map(of).map(|[own, other]| ratio(own, other)).collect::<Vec<f64>>()
    };
    let (highest, growth, beside_purge) = once.growth.map(Growth::ratios).unwrap_or((HIGHEST, Vec::new(), Vec::new()));
    let row = |measure: String, option, values: Vec<f64>, before, target, moonshot| Row {
        measure,
        option,
        spread: Spread::from_values(values),
        before,
        target,
        moonshot,
    };
    vec![
        row(
            format!("Issue/s, {IN_FLIGHT} in flight ÷ four writes in one statement, {YARDSTICK_CLIENTS} clients"),
            "--rounds",
            each(&|round| round.issue.per_second / with(&round.four_writes, YARDSTICK_CLIENTS).per_second),
            "0.23, 0.23, 0.28",
            AtLeast(0.4),
            Some(AtLeast(0.6)),
        ),
        row(
            format!("Postgres + service + Redis CPU per PIN ÷ the baseline's, {IN_FLIGHT} in flight"),
            "--baseline",
            turns(|round| &round.baseline, |own, baseline| server_cpu(own) / server_cpu(baseline)),
            "1",
            AtMost(0.55),
            Some(AtMost(0.45)),
        ),
        row(
            "Postgres CPU per PIN ÷ the baseline's, 1 in flight".to_owned(),
            "--baseline",
            turns(|round| &round.baseline_one, |own, baseline| cpu(own, "postgres") / cpu(baseline, "postgres")),
            "1",
            AtMost(0.5),
            Some(AtMost(0.35)),
        ),
        row(
            format!("Issue/s ÷ better-auth's codes/s, {IN_FLIGHT} in flight"),
            "--peer",
            turns(|round| &round.peer, |own, peer| own.per_second / peer.per_second),
            "2.7",
            AtLeast(4.5),
            Some(AtLeast(8.0)),
        ),
        row(
            "Issue, 1 in flight: p50 ÷ (bare tonic + script + one-row insert p50s)".to_owned(),
            "--rounds",
            each(&|round| {
                let script = with(&round.script, 1).p50_ms;
                let sum = round.bare_one.latency_ms.p50 + script + with(&round.one_row, 1).p50_ms;
                round.issue_one.latency_ms.p50 / sum
            }),
            "about 4",
            AtMost(2.5),
            Some(AtMost(1.8)),
        ),
        row(
            "CheckEligibility: service CPU ÷ (bare tonic server + client call)".to_owned(),
            "--rounds",
            each(&|round| {
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
            each(&|round| round.wal_bytes_per_pin / 1000.0),
            "4–5",
            AtMost(3.0),
            Some(AtMost(2.2)),
        ),
        row(
            format!("CPU per PIN of two processes with {} in flight each ÷ one with {IN_FLIGHT}", IN_FLIGHT / 2),
            "--rounds",
            each(&|round| round.two_processes.server_cpu_us / server_cpu(&round.issue)),
            "about 1.4",
            AtMost(1.2),
            Some(AtMost(1.1)),
        ),
        row(
            format!("Messages/s of one process, gateway of {} ms, {MANY} in flight", SLOW_GATEWAY.as_millis()),
            "--rounds",
            each(&|round| round.issue_slow_gateway.messages_per_second.unwrap_or(f64::NAN)),
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
            format!("Peak memory at {MANY} in flight, MiB"),
            "--rounds",
            each(&|round| round.issue_many.service_peak_memory_kib.map_or(f64::NAN, |kib| kib as f64 / 1024.0)),
            "42",
            AtMost(42.0),
            None,
        ),
        row(
            format!("Issue, 1 in flight: p50 at 10^{highest} stored requests ÷ at 10^4"),
            "--growth",
            growth,
            "1.04",
            AtMost(1.04),
            None,
        ),
        row(
            "Issue/s while old rows are purged ÷ without".to_owned(),
            "--growth",
            beside_purge,
            "0.92",
            AtLeast(0.92),
            None,
        ),
        row("Cold start to SERVING, ms".to_owned(), "always", once.cold_starts_ms.to_vec(), "50", AtMost(50.0), None),
        row(
            "Issue at half of its peak rate: p99 ÷ p50".to_owned(),
            "--rounds",
            each(&|round| round.issue_half_peak.latency_ms.p99 / round.issue_half_peak.latency_ms.p50),
            "3.6",
            AtMost(10.0),
            Some(AtMost(4.0)),
        ),
    ]
}

/// CPU time per call of one process, in microseconds.
fn cpu(report: &Report, process: &str) -> f64 {
    report.cpu_us_per_call.get(process).copied().unwrap_or(f64::NAN)
}

fn with(limits: &[Limit], clients: u16) -> Limit {
    let none = Limit { clients, per_second: f64::NAN, p50_ms: f64::NAN, p99_ms: f64::NAN, server_cpu_us: None };
    limits.iter().find(|limit| limit.clients == clients).cloned().unwrap_or(none)
}

/// What there is to say beside the rows, one line each.
fn notes(rounds: &[Round]) -> String {
    let mut text = String::new();
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
    let mut text =
        String::from("| measure | measured (least–most) | at 54b6a3e | target | moonshot |\n|---|---|---|---|---|\n");
    for Row { measure, option, spread, before, target, moonshot } in rows {
        let moonshot_text = moonshot.map_or_else(|| "–".to_owned(), Target::text);
        let Some(spread) = spread else {
            let target = target.text();
            let _ = writeln!(text, "| {measure} | not measured ({option}) | {before} | {target} | {moonshot_text} |");
            continue;
        };
        let mark = |bound: Target| if bound.is_met_by(spread.median) { "met" } else { "**short**" };
        let moonshot = moonshot.map_or(moonshot_text, |bound| format!("{}: {}", bound.text(), mark(bound)));
        let target = format!("{}: {}", target.text(), mark(*target));
        let _ = writeln!(text, "| {measure} | {spread} | {before} | {target} | {moonshot} |");
    }
    let _ = writeln!(text, "\n{}", notes(rounds));
    if let Some(growth) = growth {
        let _ = writeln!(text, "{growth}");
    }
    text.push_str("| | per second | p50 ms | p99 ms | CPU µs per operation |\n|---|---|---|---|---|\n");
    let Some(round) = rounds.get(rounds.len() / 2) else { return text };
    let limits = [
        ("pgbench, four writes", &round.four_writes),
        ("pgbench, one row", &round.one_row),
        ("redis-benchmark, script", &round.script),
    ];
    for (name, limits) in limits {
        for Limit { clients, per_second, p50_ms, p99_ms, server_cpu_us } in limits {
            let cpu = server_cpu_us.map(|us| format!("server {us:.0}")).unwrap_or_default();
            let _ =
                writeln!(text, "| {name}, {clients} clients | {per_second:.0} | {p50_ms:.2} | {p99_ms:.2} | {cpu} |");
        }
    }
    let two = &round.two_processes;
    let _ = writeln!(
        text,
        "| issue, two processes, {IN_FLIGHT} in flight | {:.0} | | | all servers {:.0} |",
        two.per_second, two.server_cpu_us
    );
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
        let once = MeasuredOnce { growth: None, cold_starts_ms: &[40.0, 60.0, 70.0, 54.0], idle_connections_mib: None };
        let table = table(&[], &once);
        let text = markdown(&table, &[], None);
        let (missing, measured): (Vec<&str>, Vec<&str>) =
            text.lines().skip(2).filter(|line| line.starts_with("| ")).partition(|line| line.contains("not measured"));
        let named = |option: &str| missing.iter().filter(|line| line.contains(option)).count();
        let options = ["--rounds", "--baseline", "--peer", "--idle-connections", "--growth"];
        assert_eq!(options.map(named), [8, 2, 1, 1, 2], "{text}");
        assert_eq!(measured[0], "| Cold start to SERVING, ms | 57.00 (40.00–70.00) | 50 | ≤ 50: **short** | – |");
    }
}

//! The report for people: the rows, and the measurements behind them.

use std::fmt::Write as _;

use super::growth::Growth;
use super::limits::Limit;
use super::round::Round;
use super::rows::{Row, Target};
use super::spread::Spread;
use crate::report::Report;

/// Comparisons that have no row.
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

/// CPU time per call of all processes but the load, in microseconds.
fn server_cpu(report: &Report) -> f64 {
    report.cpu_us_per_call.iter().filter(|(process, _)| *process != "load").map(|(_, us)| us).sum()
}

/// Writes the rows, and the measurements of the middle round.
pub(crate) fn write(rows: &[Row], rounds: &[Round], growth: Option<&Growth>) -> String {
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
    use super::super::rows;
    use super::*;

    #[test]
    fn a_row_without_measurement_names_its_option() {
        let table = rows::table(&[], None, &[40.0, 60.0, 70.0, 54.0]);
        let text = write(&table, &[], None);
        let (missing, measured): (Vec<&str>, Vec<&str>) =
            text.lines().skip(2).filter(|line| line.starts_with("| ")).partition(|line| line.contains("not measured"));
        let named = |option: &str| missing.iter().filter(|line| line.contains(option)).count();
        assert_eq!((named("--rounds"), named("--peer"), named("--growth")), (6, 1, 2), "{text}");
        assert_eq!(measured[0], "| Cold start to SERVING, ms | 57.00 (40.00–70.00) | ≤ 300: met | ≤ 300: met |");
    }
}

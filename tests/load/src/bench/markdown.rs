//! The report for people: the rows, and the measurements behind them.

use std::fmt::Write as _;

use super::growth::Growth;
use super::limits::YardstickResult;
use super::round::{IN_FLIGHT, Round};
use super::rows::{Row, Target};
use super::spread::Spread;
use crate::report::Report;

/// Comparisons that have no row.
fn notes(rounds: &[Round]) -> String {
    let mut text = String::new();
    let turns = || rounds.iter().flat_map(|round| &round.peer);
    let delivered = turns().filter_map(|[issue, peer]| Some(issue.messages_per_second? / peer.messages_per_second?));
    if let Some(ratio) = Spread::from_values(delivered) {
        let _ = writeln!(text, "- SMS at the gateway per second, of IssueTemporaryPin ÷ of better-auth: {ratio}");
    }
    let cpu = |of: fn(&[Report; 2]) -> &Report| Spread::from_values(turns().map(|turn| of(turn).server_cpu_us()));
    if let (Some(issue), Some(peer)) = (cpu(|[issue, _]| issue), cpu(|[_, peer]| peer)) {
        let _ =
            writeln!(text, "- CPU µs, Postgres and Redis included: {issue:.0} a PIN, {peer:.0} a code of better-auth");
    }
    text
}

/// Writes the rows, and the measurements of the middle round.
pub(crate) fn write(rows: &[Row], rounds: &[Round], growth: Option<&Growth>) -> String {
    let mut text = String::from(
        "| measure | measured (least–most) | at 54b6a3e | target | stretch target |\n|---|---|---|---|---|\n",
    );
    for Row { measure, option, spread, before, target, stretch_target } in rows {
        let stretch_target_text = stretch_target.map_or_else(|| "–".to_owned(), Target::text);
        let Some(spread) = spread else {
            let target = target.text();
            let _ =
                writeln!(text, "| {measure} | not measured ({option}) | {before} | {target} | {stretch_target_text} |");
            continue;
        };
        let mark = |bound: Target| if bound.is_met_by(spread.median) { "met" } else { "**short**" };
        let stretch_target =
            stretch_target.map_or(stretch_target_text, |bound| format!("{}: {}", bound.text(), mark(bound)));
        let target = format!("{}: {}", target.text(), mark(*target));
        let _ = writeln!(text, "| {measure} | {spread} | {before} | {target} | {stretch_target} |");
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
        for YardstickResult { clients, per_second, p50_ms, p99_ms, server_cpu_us } in limits {
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
    use super::super::rows;
    use super::*;

    #[test]
    fn a_row_without_measurement_names_its_option() {
        let once =
            rows::MeasuredOnce { growth: None, cold_starts_ms: &[40.0, 60.0, 70.0, 54.0], idle_connections_mib: None };
        let table = rows::table(&[], &once);
        let text = write(&table, &[], None);
        let (missing, measured): (Vec<&str>, Vec<&str>) =
            text.lines().skip(2).filter(|line| line.starts_with("| ")).partition(|line| line.contains("not measured"));
        let named = |option: &str| missing.iter().filter(|line| line.contains(option)).count();
        let options = ["--rounds", "--baseline", "--peer", "--idle-connections", "--growth"];
        assert_eq!(options.map(named), [8, 2, 1, 1, 2], "{text}");
        assert_eq!(measured[0], "| Cold start to SERVING, ms | 57.00 (40.00–70.00) | 50 | ≤ 50: **short** | – |");
    }
}

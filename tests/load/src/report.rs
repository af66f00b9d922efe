//! The report of a run, as a table and as JSON.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;

use crate::drive::{Measured, Pace};

#[derive(Clone, Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) scenario: String,
    /// Only for a closed loop.
    pub(crate) in_flight: Option<usize>,
    /// Only for an open loop.
    pub(crate) due_per_second: Option<f64>,
    /// Calls that succeeded.
    pub(crate) calls: u64,
    /// Failed calls, by reason.
    pub(crate) failures: BTreeMap<String, u64>,
    /// From the start of the first call to the end of the last.
    pub(crate) seconds: f64,
    /// Successful calls per second.
    pub(crate) per_second: f64,
    /// Of successful calls. In an open loop from the time when they were due.
    pub(crate) latency_ms: Latency,
    /// CPU time per call of each measured process, in microseconds.
    pub(crate) cpu_us_per_call: BTreeMap<String, f64>,
    /// The peak of the service's memory, in KiB.
    pub(crate) service_peak_memory_kib: Option<u64>,
    /// Messages that reached the gateway during the run.
    pub(crate) messages: u64,
    /// Until the last message. `None` without messages.
    pub(crate) messages_per_second: Option<f64>,
}

/// Milliseconds.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Latency {
    pub(crate) mean: f64,
    pub(crate) p50: f64,
    pub(crate) p90: f64,
    pub(crate) p99: f64,
    pub(crate) p999: f64,
    pub(crate) max: f64,
}

impl Report {
    pub(crate) fn new(scenario: String, pace: Pace, measured: &Measured) -> Self {
        let (in_flight, due_per_second) = match pace {
            Pace::InFlight(count) => (Some(count), None),
            Pace::PerSecond(rate) => (None, Some(rate)),
        };
        let (calls, seconds) = (measured.latencies.len(), measured.elapsed.as_secs_f64());
        Self {
            scenario,
            in_flight,
            due_per_second,
            calls,
            failures: measured.failures.clone(),
            seconds,
            per_second: calls as f64 / seconds,
            latency_ms: Latency::from_histogram(&measured.latencies),
            cpu_us_per_call: BTreeMap::new(),
            service_peak_memory_kib: None,
            messages: 0,
            messages_per_second: None,
        }
    }

    /// Adds the CPU time that a process used.
    pub(crate) fn add_cost(&mut self, process: &str, used: Duration) {
        if self.calls > 0 {
            self.cpu_us_per_call.insert(process.to_owned(), used.as_secs_f64() * 1e6 / self.calls as f64);
        }
    }

    /// CPU time per call of all processes except the load, in microseconds.
    pub(crate) fn server_cpu_us(&self) -> f64 {
        self.cpu_us_per_call.iter().filter(|(process, _)| *process != "load").map(|(_, us)| us).sum()
    }
}

impl Latency {
    fn from_histogram(nanoseconds: &Histogram<u64>) -> Self {
        let at = |quantile| nanoseconds.value_at_quantile(quantile) as f64 / 1e6;
        Self {
            mean: nanoseconds.mean() / 1e6,
            p50: at(0.5),
            p90: at(0.9),
            p99: at(0.99),
            p999: at(0.999),
            max: nanoseconds.max() as f64 / 1e6,
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pace = match (self.in_flight, self.due_per_second) {
            (Some(count), _) => format!("{count} in flight"),
            (None, rate) => format!("{:.0} due per second", rate.unwrap_or_default()),
        };
        let Latency { mean, p50, p90, p99, p999, max } = self.latency_ms;
        writeln!(f, "{}, {pace}", self.scenario)?;
        writeln!(f, "  calls       {} in {:.2} s: {:.0} per second", self.calls, self.seconds, self.per_second)?;
        writeln!(
            f,
            "  latency ms  mean {mean:.2}  p50 {p50:.2}  p90 {p90:.2}  p99 {p99:.2}  p99.9 {p999:.2}  max {max:.2}"
        )?;
        if !self.cpu_us_per_call.is_empty() {
            let costs: Vec<String> =
                self.cpu_us_per_call.iter().map(|(process, us)| format!("{process} {us:.0}")).collect();
            writeln!(f, "  CPU us/call {}", costs.join("  "))?;
        }
        if let Some(kib) = self.service_peak_memory_kib {
            writeln!(f, "  memory      the service's peak: {:.1} MiB", kib as f64 / 1024.0)?;
        }
        writeln!(f, "  messages    {}: {:.0} per second", self.messages, self.messages_per_second.unwrap_or_default())?;
        for (reason, count) in &self.failures {
            writeln!(f, "  FAILED      {count} × {reason}")?;
        }
        Ok(())
    }
}

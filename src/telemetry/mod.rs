//! Logs on stderr; traces and metrics over OTLP when an endpoint is configured.

mod attempt;
mod export;
pub mod metrics;
pub mod propagation;
mod settings;
#[cfg(test)]
pub(crate) mod tests;

use std::io::{self, IsTerminal as _};

use anyhow::Context as _;
use opentelemetry::trace::TracerProvider as _;
use tracing::level_filters::LevelFilter;
use tracing::{Level, Subscriber};
use tracing_subscriber::filter::{EnvFilter, Targets};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer, fmt};

pub use attempt::trace_attempt;
pub use export::Telemetry;
pub use settings::TelemetrySettings;

/// Prefix of the log target of all our own code.
const SERVICE_TARGET: &str = "temporary_pin";

/// Log target of the outermost span of a call.
pub const CALL_SPAN_TARGET: &str = "temporary_pin::call";

/// Starts logging for this process and, if an endpoint is configured, the export of traces and metrics. Call it once, in an
/// async runtime.
///
/// # Errors
/// If a setting is not valid, or logging has been started before.
pub fn start(settings: &TelemetrySettings) -> anyhow::Result<Telemetry> {
    let telemetry = Telemetry::start(settings)?;
    build_subscriber(settings, &telemetry, io::stderr, !io::stderr().is_terminal())?.try_init()?;
    Ok(telemetry)
}

fn build_subscriber<W>(
    settings: &TelemetrySettings,
    telemetry: &Telemetry,
    writer: W,
    json: bool,
) -> anyhow::Result<impl Subscriber + use<W>>
where
    W: for<'writer> MakeWriter<'writer> + Send + Sync + 'static,
{
    let traces = tracing_opentelemetry::layer()
        .with_tracer(telemetry.tracer_provider().tracer(env!("CARGO_PKG_NAME")))
        .with_location(false)
        .with_threads(false)
        // If spans are not exported, only the span of the call is recorded, because it provides the trace id.
        .with_filter(
            Targets::new()
                .with_target(if telemetry.exports() { SERVICE_TARGET } else { CALL_SPAN_TARGET }, Level::INFO),
        );
    // Lines for a terminal, JSON for machines. Both show all spans around an event; the outermost is the call, which has
    // the trace id.
    let lines = fmt::layer().with_writer(writer);
    let logs = if json { lines.json().flatten_event(true).with_current_span(false).boxed() } else { lines.boxed() };
    let filter = EnvFilter::try_new(&settings.log).context("telemetry.log")?;
    Ok(tracing_subscriber::registry().with(verbosity_limit()).with(logs.with_filter(filter)).with(traces))
}

/// Only our own code may log below WARN, whatever the configured filter says. At DEBUG and TRACE, the clients of Redis,
/// Postgres, HTTP/2 and TLS log the data that they send: CPR numbers, mobile numbers and PINs. Our own code never does.
fn verbosity_limit() -> Targets {
    Targets::new().with_default(LevelFilter::WARN).with_target(SERVICE_TARGET, LevelFilter::TRACE)
}

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

/// The target of everything that this service logs itself.
const SERVICE_TARGET: &str = "temporary_pin";

/// The target of a call's outermost span.
pub const CALL_SPAN_TARGET: &str = "temporary_pin::call";

/// Starts logs for this process and, with an endpoint, the export of traces and metrics. Call once, in a runtime.
pub fn start(settings: &TelemetrySettings) -> anyhow::Result<Telemetry> {
    let telemetry = Telemetry::start(settings)?;
    subscriber(settings, &telemetry, io::stderr, !io::stderr().is_terminal())?.try_init()?;
    Ok(telemetry)
}

fn subscriber<W>(
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
        // With nobody to collect the spans, there is but that of the call, which gives the trace id.
        .with_filter(
            Targets::new()
                .with_target(if telemetry.exports() { SERVICE_TARGET } else { CALL_SPAN_TARGET }, Level::INFO),
        );
    // Lines for people on a terminal, JSON for machines. Both show all spans around an event: the outermost, the call,
    // has the trace id.
    let lines = fmt::layer().with_writer(writer);
    let logs = if json { lines.json().flatten_event(true).with_current_span(false).boxed() } else { lines.boxed() };
    let filter = EnvFilter::try_new(&settings.log).context("telemetry.log")?;
    Ok(tracing_subscriber::registry().with(ceiling()).with(logs.with_filter(filter)).with(traces))
}

/// Only our own code may log below WARN, whatever the filter asks for. At DEBUG and TRACE, clients of Redis, Postgres,
/// HTTP/2 and TLS print what they carry: CPR numbers, mobile numbers and PINs. Ours never does.
fn ceiling() -> Targets {
    Targets::new().with_default(LevelFilter::WARN).with_target(SERVICE_TARGET, LevelFilter::TRACE)
}

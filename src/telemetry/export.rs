//! Export of traces and metrics over OTLP.

use std::thread;
use std::time::Duration;

use anyhow::Context as _;
use opentelemetry::{KeyValue, global};
use opentelemetry_otlp::{MetricExporter, SpanExporter, WithExportConfig as _, WithTonicConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tokio::sync::oneshot;
use tonic::transport::{Certificate, ClientTlsConfig};

use super::TelemetrySettings;

/// Longest wait for the collector to take a batch.
const EXPORT_TIMEOUT: Duration = Duration::from_secs(3);

/// Longest wait for the last batches before the process ends.
pub(super) const FLUSH_TIMEOUT: Duration = Duration::from_secs(5);

/// Tracing and metrics of the process. End it with [`Telemetry::shutdown`], or the last batches are lost.
#[must_use]
pub struct Telemetry {
    /// Creates trace ids, even if nothing is exported.
    tracer: SdkTracerProvider,
    meter: Option<SdkMeterProvider>,
}

impl Telemetry {
    /// Sets the process's propagator. If an endpoint is configured, also builds the exporters and sets the process's meter
    /// provider.
    pub(super) fn start(settings: &TelemetrySettings) -> anyhow::Result<Self> {
        global::set_text_map_propagator(TraceContextPropagator::new());
        let resource = Resource::builder()
            .with_service_name(settings.service_name.clone())
            .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
            .build();
        let tracer = SdkTracerProvider::builder().with_resource(resource.clone());
        let Some(endpoint) = settings.otlp_endpoint.as_deref() else {
            return Ok(Self { tracer: tracer.build(), meter: None });
        };
        let mut tls = ClientTlsConfig::new();
        if let Some(path) = &settings.otlp_ca {
            let pem =
                std::fs::read(path).with_context(|| format!("telemetry.otlp_ca: cannot read {}", path.display()))?;
            tls = tls.ca_certificate(Certificate::from_pem(pem));
        }
        let spans = SpanExporter::builder()
            .with_tonic()
            .with_endpoint(endpoint)
            .with_timeout(EXPORT_TIMEOUT)
            .with_tls_config(tls.clone())
            .build()?;
        let metrics = MetricExporter::builder()
            .with_tonic()
            .with_endpoint(endpoint)
            .with_timeout(EXPORT_TIMEOUT)
            .with_tls_config(tls)
            .build()?;
        let meter = SdkMeterProvider::builder().with_resource(resource).with_periodic_exporter(metrics).build();
        global::set_meter_provider(meter.clone());
        Ok(Self { tracer: tracer.with_batch_exporter(spans).build(), meter: Some(meter) })
    }

    pub(super) fn tracer_provider(&self) -> &SdkTracerProvider {
        &self.tracer
    }

    /// Whether spans are exported.
    pub(super) fn exports(&self) -> bool {
        self.meter.is_some()
    }

    #[cfg(test)]
    pub(super) fn meter_provider(&self) -> Option<&SdkMeterProvider> {
        self.meter.as_ref()
    }

    /// Sends the last batches. Waits [`FLUSH_TIMEOUT`] at most, so that a dead collector does not keep the process alive.
    pub async fn shutdown(self) {
        let Self { tracer, meter: Some(meter) } = self else { return };
        let (done, flushed) = oneshot::channel();
        // The providers block while they flush, and their exporters need the runtime while they flush. This uses a thread and not a
        // blocking task, because the runtime waits for its blocking tasks, and a dead collector would delay one.
        thread::spawn(move || {
            let results = [tracer.shutdown_with_timeout(EXPORT_TIMEOUT), meter.shutdown_with_timeout(EXPORT_TIMEOUT)];
            // The receiver is gone if the wait below has timed out.
            let _ = done.send(results.into_iter().collect::<Result<(), _>>());
        });
        match tokio::time::timeout(FLUSH_TIMEOUT, flushed).await {
            Ok(Ok(Ok(()))) => {}
            Ok(Ok(Err(error))) => tracing::warn!(%error, "the last traces or metrics were not exported"),
            Ok(Err(_)) | Err(_) => tracing::warn!("the last traces or metrics were not exported in time"),
        }
    }
}

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

/// Longest wait for the collector, per batch.
const EXPORT_TIMEOUT: Duration = Duration::from_secs(3);

/// Longest wait for the last batches when the process ends.
pub(super) const FLUSH_TIMEOUT: Duration = Duration::from_secs(5);

/// What runs while the process does. End it with [`Telemetry::shutdown`], or the last batches are lost.
#[must_use]
pub struct Telemetry {
    /// Gives trace ids, also when nothing is exported.
    tracer: SdkTracerProvider,
    meter: Option<SdkMeterProvider>,
}

impl Telemetry {
    /// Sets the process's propagator and, if there is an endpoint, builds the exporters and sets the meter provider.
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

    /// Whether spans are collected.
    pub(super) fn exports(&self) -> bool {
        self.meter.is_some()
    }

    #[cfg(test)]
    pub(super) fn meter_provider(&self) -> Option<&SdkMeterProvider> {
        self.meter.as_ref()
    }

    /// Sends what is still waiting, but never holds the end of the process up for more than a few seconds.
    pub async fn shutdown(self) {
        let Self { tracer, meter: Some(meter) } = self else { return };
        let (done, flushed) = oneshot::channel();
        // The providers block while they flush, and their exporters need the runtime meanwhile. A thread of its own,
        // because the runtime would wait for a blocking task that a dead collector holds up.
        thread::spawn(move || {
            let results = [tracer.shutdown_with_timeout(EXPORT_TIMEOUT), meter.shutdown_with_timeout(EXPORT_TIMEOUT)];
            // Nobody listens any more once the wait is over.
            let _ = done.send(results.into_iter().collect::<Result<(), _>>());
        });
        match tokio::time::timeout(FLUSH_TIMEOUT, flushed).await {
            Ok(Ok(Ok(()))) => {}
            Ok(Ok(Err(error))) => tracing::warn!(%error, "the last traces or metrics were not exported"),
            Ok(Err(_)) | Err(_) => tracing::warn!("the last traces or metrics were not exported in time"),
        }
    }
}

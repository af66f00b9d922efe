//! The metrics of hand-overs.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::metrics::MeterProvider as _;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::metrics::data::{AggregatedMetrics, MetricData, ResourceMetrics};
use opentelemetry_sdk::metrics::exporter::PushMetricExporter;
use opentelemetry_sdk::metrics::{PeriodicReader, SdkMeterProvider, Temporality};
use sqlx::PgPool;
use temporary_pin::telemetry::metrics::Metrics;

use crate::world::{Mode, World};

/// The counters, one line each: name, labels, value.
#[derive(Clone, Default)]
struct Counts(Arc<Mutex<Vec<String>>>);

impl PushMetricExporter for Counts {
    async fn export(&self, metrics: &ResourceMetrics) -> OTelSdkResult {
        let mut lines = Vec::new();
        for metric in metrics.scope_metrics().flat_map(|scope| scope.metrics()) {
            let AggregatedMetrics::U64(MetricData::Sum(sum)) = metric.data() else { continue };
            for point in sum.data_points() {
                let mut labels: Vec<&KeyValue> = point.attributes().collect();
                labels.sort_by_key(|label| label.key.as_str());
                let labels: Vec<_> = labels.iter().map(|label| label.value.as_str()).collect();
                lines.push(format!("{} {} {}", metric.name(), labels.join(" "), point.value()));
            }
        }
        lines.sort();
        *self.0.lock().unwrap() = lines;
        Ok(())
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }

    fn temporality(&self) -> Temporality {
        Temporality::Cumulative
    }
}

#[sqlx::test]
async fn every_hand_over_is_counted(pool: PgPool) {
    let counts = Counts::default();
    let reader = PeriodicReader::builder(counts.clone()).build();
    let provider = SdkMeterProvider::builder().with_reader(reader).build();
    let world = World { metrics: Metrics::new(&provider.meter("test")), ..World::new(pool) };
    let dispatcher = world.dispatcher();
    let round = async |mode, kind| {
        world.phone.set(mode);
        world.queue(kind).await;
        dispatcher.run_once().await;
    };

    round(Mode::Refuse, "pin").await;
    round(Mode::Silent, "pin").await;
    round(Mode::Accept, "pin").await;
    round(Mode::Accept, "access_requested").await;
    round(Mode::Down, "hold_passed").await;
    // The message of a dispatcher that ended during the hand-over.
    let lost = world.queue("pin").await;
    let begun = sqlx::query("UPDATE outbox SET handover_time = $2, lease_expire_time = $2 WHERE id = $1");
    begun.bind(lost).bind(world.now()).execute(&world.pool).await.unwrap();
    world.clock.advance(Duration::from_secs(600));
    dispatcher.run_once().await;

    provider.force_flush().unwrap();
    assert_eq!(
        *counts.0.lock().unwrap(),
        [
            "temporary_pin.dependency.failures gateway 2",
            "temporary_pin.messages phone access_requested accepted 1",
            "temporary_pin.messages phone hold_passed not_taken 1",
            "temporary_pin.messages phone pin accepted 1",
            "temporary_pin.messages phone pin refused 1",
            "temporary_pin.messages phone pin unknown 1",
            "temporary_pin.messages.unsent expired hold_passed 1",
            "temporary_pin.messages.unsent lost pin 1",
        ]
    );
}

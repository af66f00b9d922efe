use std::time::Duration;

use http::HeaderMap;
use opentelemetry::metrics::MeterProvider as _;
use opentelemetry::trace::{TraceContextExt as _, TraceId};
use opentelemetry_proto::tonic::common::v1::any_value;
use rstest::rstest;
use test_support::collector::Collector;
use tokio::net::TcpListener;
use tokio::time::Instant;
use tonic::Code;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

use super::super::export::FLUSH_TIMEOUT;
use super::super::metrics::Metrics;
use super::super::propagation::{current_trace_id, parent_context, trace_id};
use super::super::{CALL_SPAN_TARGET, Telemetry, TelemetrySettings, build_subscriber};
use crate::domain::channel::Channel;

fn start(endpoint: String) -> (Telemetry, impl tracing::Subscriber) {
    let settings = TelemetrySettings { otlp_endpoint: Some(endpoint), ..TelemetrySettings::default() };
    let telemetry = Telemetry::start(&settings).unwrap();
    let subscriber = build_subscriber(&settings, &telemetry, std::io::sink, true).unwrap();
    (telemetry, subscriber)
}

#[tokio::test]
async fn spans_join_the_callers_trace() {
    let (collector, endpoint) = Collector::start().await;
    let (telemetry, subscriber) = start(endpoint);
    tracing::subscriber::with_default(subscriber, || {
        let traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".parse().unwrap();
        let span = tracing::info_span!("rpc", otel.kind = "server");
        span.set_parent(parent_context(&HeaderMap::from_iter([(
            http::HeaderName::from_static("traceparent"),
            traceparent,
        )])))
        .unwrap();
        let _call = span.entered();
        tracing::info_span!(target: "sqlx::query", "of another crate").in_scope(|| {});
        tracing::info_span!("store.issue").in_scope(|| {});
    });
    telemetry.shutdown().await;

    let spans = collector.spans();
    let [store, call] = &spans[..] else { panic!("{spans:?}") };
    assert_eq!((&*store.name, &*call.name), ("store.issue", "rpc"));
    assert_eq!(call.trace_id, 0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c_u128.to_be_bytes());
    assert_eq!(call.parent_span_id, 0xb7ad_6b71_6920_3331_u64.to_be_bytes());
    assert_eq!(store.parent_span_id, call.span_id);
    let resource = collector.resource_spans()[0].resource.clone().unwrap();
    let name = resource.attributes.iter().find(|attribute| attribute.key == "service.name").unwrap();
    let any_value::Value::StringValue(name) = name.value.clone().unwrap().value.unwrap() else { panic!("{name:?}") };
    assert_eq!(name, "temporary-pin");
}

/// With a log filter that enables the inner spans, and with one that does not.
#[rstest]
#[case("info")]
#[case("warn")]
fn without_an_endpoint_only_the_call_has_a_span_and_everything_has_its_trace_id(#[case] log: &str) {
    let settings = TelemetrySettings { log: log.into(), ..TelemetrySettings::default() };
    let telemetry = Telemetry::start(&settings).unwrap();
    let subscriber = build_subscriber(&settings, &telemetry, std::io::sink, true).unwrap();
    tracing::subscriber::with_default(subscriber, || {
        let call = tracing::info_span!(target: CALL_SPAN_TARGET, "rpc");
        let trace = trace_id(&call);
        assert_ne!(trace, TraceId::INVALID);
        let _call = call.entered();
        let part = tracing::info_span!("postgres");
        assert_eq!(trace_id(&part), TraceId::INVALID);
        assert_eq!(part.in_scope(current_trace_id), trace);
    });
}

#[test]
fn a_malformed_traceparent_begins_a_new_trace() {
    let traceparent = "00-00000000000000000000000000000000-b7ad6b7169203331-01".parse().unwrap();
    let headers = HeaderMap::from_iter([(http::HeaderName::from_static("traceparent"), traceparent)]);
    assert!(!parent_context(&headers).span().span_context().is_valid());
    assert!(!parent_context(&HeaderMap::new()).span().span_context().is_valid());
}

#[tokio::test]
async fn every_metric_arrives_with_its_labels() {
    let (collector, endpoint) = Collector::start().await;
    let (telemetry, _) = start(endpoint);
    let metrics = Metrics::new(&telemetry.meter_provider().unwrap().meter("test"));
    metrics.record_call(
        "temporarypin.v1.TemporaryPinService/VerifyIdentity",
        Code::Unavailable,
        Duration::from_millis(3),
    );
    metrics.count_issued_pin(Channel::Web);
    metrics.count_verification(Channel::Phone, "rejected");
    metrics.count_redemption("wrong_pin");
    metrics.count_refusal("HOLD_RUNNING");
    metrics.count_message("pin", "accepted", None);
    metrics.count_dependency_failure("redis");
    telemetry.shutdown().await;

    let arrived = collector.metrics();
    for (name, label) in [
        ("rpc.server.call.duration", "UNAVAILABLE"),
        ("temporary_pin.pins", "web"),
        ("temporary_pin.verifications", "rejected"),
        ("temporary_pin.redemptions", "wrong_pin"),
        ("temporary_pin.refusals", "HOLD_RUNNING"),
        ("temporary_pin.messages", "accepted"),
        ("temporary_pin.dependency.failures", "redis"),
    ] {
        let metric = arrived.iter().find(|metric| metric.name == name).unwrap_or_else(|| panic!("{name} is missing"));
        assert!(format!("{:?}", metric.data).contains(&format!("\"{label}\"")), "{metric:?}");
    }
}

/// A collector that refuses the connection, and one that accepts it and never answers.
#[tokio::test]
async fn a_dead_collector_does_not_delay_the_shutdown() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    for address in [closed, silent.local_addr().unwrap()] {
        let (telemetry, subscriber) = start(format!("http://{address}"));
        tracing::subscriber::with_default(subscriber, || tracing::info_span!("rpc").in_scope(|| {}));
        Metrics::new(&telemetry.meter_provider().unwrap().meter("test")).count_redemption("redeemed");
        let begin = Instant::now();
        telemetry.shutdown().await;
        assert!(begin.elapsed() < FLUSH_TIMEOUT + Duration::from_secs(1), "{address}: {:?}", begin.elapsed());
    }
}

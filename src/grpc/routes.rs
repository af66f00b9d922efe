//! The services behind their middleware.

use std::sync::Arc;
use std::time::Duration;

use axum::middleware::{from_fn, from_fn_with_state};
use tonic::service::Routes;
use tonic_reflection::server::Builder as Reflection;

use super::caller::authorise;
use super::health::Health;
use super::load::{self, Load};
use super::operator_service::Operate;
use super::redemption_service::Redeem;
use super::temporary_pin_service::TemporaryPin;
use super::{Context, conform, localize, observe, services, time_limit};
use crate::proto::DESCRIPTOR_SET;
use crate::proto::temporarypin::v1::operator_service_server::OperatorServiceServer;
use crate::proto::temporarypin::v1::redemption_service_server::RedemptionServiceServer;
use crate::proto::temporarypin::v1::temporary_pin_service_server::TemporaryPinServiceServer;
use crate::telemetry::metrics::Metrics;

/// How the edge behaves.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Deadline of calls that bring none, and the longest one granted.
    pub default_deadline: Duration,
    /// Most calls at once; one more is shed.
    pub max_calls: usize,
    /// Whether reflection is served.
    pub reflection: bool,
}

/// All services, and what reports their health.
pub async fn routes(context: Arc<Context>, metrics: Metrics, settings: Settings) -> anyhow::Result<(Routes, Health)> {
    let limit = context.message_limit;
    let (reporter, health_service) = tonic_health::server::health_reporter();
    let health = Health::new(reporter).await;
    let mut routes = Routes::builder();
    routes
        .add_service(
            TemporaryPinServiceServer::new(TemporaryPin(Arc::clone(&context)))
                .max_decoding_message_size(limit)
                .max_encoding_message_size(limit),
        )
        .add_service(
            RedemptionServiceServer::new(Redeem(Arc::clone(&context)))
                .max_decoding_message_size(limit)
                .max_encoding_message_size(limit),
        )
        .add_service(
            OperatorServiceServer::new(Operate(Arc::clone(&context)))
                .max_decoding_message_size(limit)
                .max_encoding_message_size(limit),
        )
        .add_service(health_service.max_decoding_message_size(limit));
    if settings.reflection {
        routes
            .add_service(reflection().build_v1()?.max_decoding_message_size(limit))
            .add_service(reflection().build_v1alpha()?.max_decoding_message_size(limit));
    }
    let load = Load::new(settings.max_calls, metrics.clone());
    // Outermost first: every call is observed, its refusals get their texts; it is bounded in time, authorised, given a
    // place; innermost, what tonic refuses is worded as ours. As one layer: each is copied for each call, and with it what
    // is in a box of its own within.
    let middleware = (
        from_fn_with_state(metrics, observe::observe),
        from_fn_with_state(context, localize::localize),
        from_fn_with_state(settings.default_deadline, time_limit::bound),
        from_fn(authorise),
        from_fn_with_state(load, load::admit),
        from_fn(conform::conform),
    );
    Ok((routes.routes().into_axum_router().layer(middleware).into(), health))
}

/// Our contract, and the `google.rpc` details, so that grpcurl prints them.
fn reflection() -> Reflection<'static> {
    Reflection::configure()
        .register_encoded_file_descriptor_set(DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_types::pb::FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .with_service_name(services::TEMPORARY_PIN)
        .with_service_name(services::REDEMPTION)
        .with_service_name(services::OPERATOR)
        .with_service_name(services::HEALTH)
}

//! Puts the services behind their middleware.

use std::sync::Arc;
use std::time::Duration;

use axum::middleware::{from_fn, from_fn_with_state};
use prost::{DecodeError, Message as _};
use prost_types::FileDescriptorSet;
use tonic::service::Routes;
use tonic_reflection::server::Builder as ReflectionBuilder;

use super::authorization::authorize_caller;
use super::deadline_enforcement::enforce_deadline;
use super::error_details::ensure_error_details;
use super::health_service::ServiceHealth;
use super::load_shedding::{LoadShedder, shed_load};
use super::localization::localize_refusal;
use super::observability::observe_call;
use super::operator_service::OperatorHandler;
use super::redemption_service::RedemptionHandler;
use super::service_context::ServiceContext;
use super::service_names;
use super::temporary_pin_service::TemporaryPinHandler;
use crate::proto::DESCRIPTOR_SET;
use crate::proto::temporarypin::v1::operator_service_server::OperatorServiceServer;
use crate::proto::temporarypin::v1::redemption_service_server::RedemptionServiceServer;
use crate::proto::temporarypin::v1::temporary_pin_service_server::TemporaryPinServiceServer;
use crate::telemetry::metrics::Metrics;

/// Settings of the gRPC edge.
#[derive(Clone, Copy, Debug)]
pub struct EdgeSettings {
    /// Deadline of a call without one, and the longest deadline granted.
    pub default_deadline: Duration,
    /// Most calls that may run at once; further calls are shed.
    pub max_calls: usize,
    /// Whether gRPC reflection is served.
    pub reflection: bool,
}

/// All services behind their middleware, and the handle that sets their health.
///
/// # Errors
/// If the reflection service cannot read the descriptor sets.
pub async fn routes(
    context: Arc<ServiceContext>,
    metrics: Metrics,
    settings: EdgeSettings,
) -> anyhow::Result<(Routes, ServiceHealth)> {
    let limit = context.message_limit;
    let (health_reporter, health_service) = tonic_health::server::health_reporter();
    let health = ServiceHealth::new(health_reporter).await;
    let mut routes = Routes::builder();
    routes
        .add_service(
            TemporaryPinServiceServer::new(TemporaryPinHandler(Arc::clone(&context)))
                .max_decoding_message_size(limit)
                .max_encoding_message_size(limit),
        )
        .add_service(
            RedemptionServiceServer::new(RedemptionHandler(Arc::clone(&context)))
                .max_decoding_message_size(limit)
                .max_encoding_message_size(limit),
        )
        .add_service(
            OperatorServiceServer::new(OperatorHandler(Arc::clone(&context)))
                .max_decoding_message_size(limit)
                .max_encoding_message_size(limit),
        )
        .add_service(health_service.max_decoding_message_size(limit));
    if settings.reflection {
        routes
            .add_service(reflection_builder()?.build_v1()?.max_decoding_message_size(limit))
            .add_service(reflection_builder()?.build_v1alpha()?.max_decoding_message_size(limit));
    }
    let load_shedder = LoadShedder::new(settings.max_calls, metrics.clone());
    // Outermost first; `grpc/mod.rs` explains the order. One tower layer, not six: axum clones each boxed layer for every
    // request, and so everything inside it.
    let middleware = (
        from_fn_with_state(metrics, observe_call),
        from_fn_with_state(context, localize_refusal),
        from_fn_with_state(settings.default_deadline, enforce_deadline),
        from_fn(authorize_caller),
        from_fn_with_state(load_shedder, shed_load),
        from_fn(ensure_error_details),
    );
    Ok((routes.routes().into_axum_router().layer(middleware).into(), health))
}

/// Reflection of our contract, of health, and of the `google.rpc` error details, so that grpcurl prints them.
fn reflection_builder() -> Result<ReflectionBuilder<'static>, DecodeError> {
    Ok(ReflectionBuilder::configure()
        .register_encoded_file_descriptor_set(DESCRIPTOR_SET)
        .register_file_descriptor_set(in_directory("google/rpc", tonic_types::pb::FILE_DESCRIPTOR_SET)?)
        .register_file_descriptor_set(in_directory("grpc/health/v1", tonic_health::pb::FILE_DESCRIPTOR_SET)?)
        .with_service_name(service_names::TEMPORARY_PIN)
        .with_service_name(service_names::REDEMPTION)
        .with_service_name(service_names::OPERATOR)
        .with_service_name(service_names::HEALTH))
}

/// The files under the path that everybody imports them by. tonic's crates name them without a directory; a client that
/// reads the same types from two paths finds them defined twice.
fn in_directory(directory: &str, descriptor_set: &[u8]) -> Result<FileDescriptorSet, DecodeError> {
    let add_directory = |name: &mut String| {
        if !name.contains('/') {
            *name = format!("{directory}/{name}");
        }
    };
    let mut files = FileDescriptorSet::decode(descriptor_set)?;
    for file in &mut files.file {
        file.name.as_mut().map(add_directory);
        file.dependency.iter_mut().for_each(add_directory);
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(directory: &str, descriptor_set: &[u8]) -> Vec<String> {
        let files = in_directory(directory, descriptor_set).unwrap().file;
        let mut names: Vec<_> = files.iter().map(|file| file.name().to_owned()).collect();
        names.extend(files.into_iter().flat_map(|file| file.dependency));
        names.sort();
        names.dedup();
        names
    }

    #[test]
    fn health_and_error_details_have_their_canonical_paths() {
        assert_eq!(names("grpc/health/v1", tonic_health::pb::FILE_DESCRIPTOR_SET), ["grpc/health/v1/health.proto"]);
        let error_details = names("google/rpc", tonic_types::pb::FILE_DESCRIPTOR_SET);
        assert!(error_details.contains(&"google/rpc/error_details.proto".to_owned()), "{error_details:?}");
        assert!(error_details.iter().all(|name| name.starts_with("google/")), "{error_details:?}");
    }
}

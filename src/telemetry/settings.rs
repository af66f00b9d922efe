//! Settings of logs, traces and metrics.

use std::path::PathBuf;

use serde::Deserialize;

/// Logs, traces and metrics.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TelemetrySettings {
    /// Log filter: a level, or `target=level` pairs separated by commas. `RUST_LOG` overrides it.
    pub log: String,
    /// Name of the service in traces and metrics.
    pub service_name: String,
    /// URL of the OTLP collector (gRPC), `http://…` or `https://…`. If it is not set, nothing is exported.
    pub otlp_endpoint: Option<String>,
    /// PEM file with the collector's CA. Required for `https`.
    pub otlp_ca: Option<PathBuf>,
}

impl Default for TelemetrySettings {
    fn default() -> Self {
        Self { log: "info".into(), service_name: env!("CARGO_PKG_NAME").into(), otlp_endpoint: None, otlp_ca: None }
    }
}

//! Settings of logs, traces and metrics.

use std::path::PathBuf;

use serde::Deserialize;

/// Logs, traces and metrics.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TelemetrySettings {
    /// Filter of the logs: a level, or `target=level` with commas between. `RUST_LOG` overrides it.
    pub log: String,
    /// The service's name in traces and metrics.
    pub service_name: String,
    /// OTLP collector (gRPC), `http://…` or `https://…`. Without one, nothing is exported.
    pub otlp_endpoint: Option<String>,
    /// The collector's CA, PEM; needed with `https`.
    pub otlp_ca: Option<PathBuf>,
}

impl Default for TelemetrySettings {
    fn default() -> Self {
        Self { log: "info".into(), service_name: env!("CARGO_PKG_NAME").into(), otlp_endpoint: None, otlp_ca: None }
    }
}

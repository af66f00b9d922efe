//! The callers of the service in the made-up world, one per role.
//!
//! On a plaintext port the metadata of a request names the caller, without proof. On a port with mutual TLS the certificate
//! names it, as in production.

use axum::http::HeaderMap;
use temporary_pin::config::{self, Role};
use temporary_pin::grpc::authentication::{Caller, CallerResolver};

/// Name and role of each caller, as in a configuration.
pub const CALLERS: [(&str, &str); 5] = [
    ("web", "channel:web"),
    ("phone", "channel:phone"),
    ("counter", "channel:counter"),
    ("redeemer", "redeemer"),
    ("operator", "operator"),
];

/// The metadata that names the caller on a plaintext port. CI looks for it in the production binary.
const CALLER_METADATA: &str = "x-sandbox-caller";

/// Trusts the metadata of a request.
pub struct CallersByMetadata;

impl CallerResolver for CallersByMetadata {
    fn resolve(&self, headers: &HeaderMap) -> Option<Caller> {
        let name = headers.get(CALLER_METADATA)?.to_str().ok()?;
        let (_, role) = CALLERS.iter().find(|(caller, _)| *caller == name)?;
        Some(Caller { name: name.into(), roles: vec![Role::try_from((*role).to_owned()).ok()?] })
    }
}

/// The callers as a configuration lists them.
#[must_use]
pub fn configured_callers() -> Vec<config::CallerSettings> {
    let caller = |(name, role): (&str, &str)| config::CallerSettings {
        name: name.to_owned(),
        sans: vec![subject_alternative_name(name)],
        roles: vec![Role::try_from(role.to_owned()).expect("the roles above are those of the configuration")],
    };
    CALLERS.into_iter().map(caller).collect()
}

/// The URI in a caller's certificate.
#[must_use]
pub fn subject_alternative_name(caller: &str) -> String {
    format!("spiffe://sandbox/{caller}")
}

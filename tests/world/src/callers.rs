//! Callers in the sandbox, one per role: on the plaintext port whoever says so in metadata, on the other one whoever has the
//! certificate, as in production.

use axum::http::HeaderMap;
use temporary_pin::config::{self, Role};
use temporary_pin::domain::channel::Channel;
use temporary_pin::grpc::authentication::{Caller, CallerResolver};

/// Their names.
pub const NAMES: [&str; 5] = ["web", "phone", "counter", "redeemer", "operator"];

/// The metadata that names the caller.
const METADATA: &str = "x-sandbox-caller";

/// Takes the caller's word.
pub struct NamedCallers;

impl CallerResolver for NamedCallers {
    fn resolve(&self, headers: &HeaderMap) -> Option<Caller> {
        let name = headers.get(METADATA)?.to_str().ok()?;
        Some(Caller { name: name.into(), roles: vec![role(name)?] })
    }
}

/// The same callers as an operator would configure them.
pub fn configured() -> Vec<config::CallerSettings> {
    let caller = |name| {
        Some(config::CallerSettings {
            name: String::from(name),
            sans: vec![subject_alternative_name(name)],
            roles: vec![role(name)?],
        })
    };
    NAMES.into_iter().filter_map(caller).collect()
}

/// The URI in a caller's certificate.
pub fn subject_alternative_name(caller: &str) -> String {
    format!("spiffe://sandbox/{caller}")
}

fn role(caller: &str) -> Option<Role> {
    match caller {
        "redeemer" => Some(Role::Redeemer),
        "operator" => Some(Role::Operator),
        channel => Channel::from_name(channel).map(Role::Channel),
    }
}

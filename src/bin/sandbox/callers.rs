//! Callers in the sandbox: whoever says so in metadata. Production knows them by their certificates.

use axum::http::{Extensions, HeaderMap};
use temporary_pin::config::Role;
use temporary_pin::domain::channel::Channel;
use temporary_pin::grpc::caller::{Caller, CallerResolver};

/// The metadata that names the caller.
const METADATA: &str = "x-sandbox-caller";

/// Takes the caller's word.
pub(crate) struct NamedCallers;

impl CallerResolver for NamedCallers {
    fn resolve(&self, headers: &HeaderMap, _: &Extensions) -> Option<Caller> {
        let name = headers.get(METADATA)?.to_str().ok()?;
        let role = match name {
            "redeemer" => Role::Redeemer,
            "operator" => Role::Operator,
            channel => Role::Channel(Channel::from_name(channel)?),
        };
        Some(Caller { name: name.into(), roles: vec![role] })
    }
}

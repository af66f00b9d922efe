//! Rejects calls of unknown callers, and calls for which the caller has no role.

use std::sync::Arc;

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;

use super::authentication::{Caller, CallerResolver};
use super::{service_names, status};
use crate::config::Role;

/// Middleware: passes a call on if its caller is known and has the role that the service requires.
pub(super) async fn authorize_caller(mut request: Request, next: Next) -> Response {
    let Some(required) = RequiredRole::of_path(request.uri().path()) else {
        return status::caller_not_allowed().into_http();
    };
    if required == RequiredRole::None {
        return next.run(request).await;
    }
    let resolver = request.extensions().get::<Arc<dyn CallerResolver>>();
    let Some(caller) = resolver.and_then(|resolver| resolver.resolve(request.headers())) else {
        return status::caller_unknown().into_http();
    };
    if !required.is_role_of(&caller) {
        return status::caller_not_allowed().into_http();
    }
    tracing::Span::current().record("caller", &*caller.name);
    request.extensions_mut().insert(caller);
    next.run(request).await
}

/// The role that a service requires of its callers.
#[derive(Clone, Copy, PartialEq, Eq)]
enum RequiredRole {
    /// Health and reflection are open to everybody who can connect.
    None,
    Channel,
    Redeemer,
    Operator,
}

impl RequiredRole {
    /// The role for a path `/package.Service/Method`. `None`: no caller may call the service.
    fn of_path(path: &str) -> Option<Self> {
        match path.trim_start_matches('/').split('/').next()? {
            service_names::TEMPORARY_PIN => Some(Self::Channel),
            service_names::REDEMPTION => Some(Self::Redeemer),
            service_names::OPERATOR => Some(Self::Operator),
            service_names::HEALTH | service_names::REFLECTION | service_names::REFLECTION_ALPHA => Some(Self::None),
            _ => None,
        }
    }

    fn is_role_of(self, caller: &Caller) -> bool {
        match self {
            Self::None => true,
            Self::Channel => caller.channel().is_some(),
            Self::Redeemer => caller.roles.contains(&Role::Redeemer),
            Self::Operator => caller.roles.contains(&Role::Operator),
        }
    }
}

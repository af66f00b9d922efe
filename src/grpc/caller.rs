//! Who calls: the client process at the other end of the connection, and what it may do.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use http::HeaderMap;
use rustls::pki_types::CertificateDer;

use super::{services, status};
use crate::config::{self, Role};
use crate::domain::channel::Channel;

/// An authenticated client process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Its name in the configuration; stands in tables, audit and metrics.
    pub name: Arc<str>,
    /// Its roles; at most one is a channel's.
    pub roles: Vec<Role>,
}

impl Caller {
    /// The channel that it speaks for.
    #[must_use]
    pub fn channel(&self) -> Option<Channel> {
        self.roles.iter().find_map(|role| match role {
            Role::Channel(channel) => Some(*channel),
            Role::Redeemer | Role::Operator => None,
        })
    }
}

/// Tells who is at the other end of a connection, in whose requests the server leaves it.
pub trait CallerResolver: Send + Sync + 'static {
    /// The caller of a request with those headers.
    fn resolve(&self, headers: &HeaderMap) -> Option<Caller>;
}

/// Who was told by the handshake: whatever a request says.
impl CallerResolver for Option<Caller> {
    fn resolve(&self, _: &HeaderMap) -> Option<Caller> {
        self.clone()
    }
}

/// Callers by the subject alternative names (DNS or URI, such as a SPIFFE id) of their client certificates.
pub struct CertificateCallers {
    by_name: BTreeMap<String, Caller>,
}

impl CertificateCallers {
    /// The callers that the configuration names.
    #[must_use]
    pub fn new(callers: &[config::Caller]) -> Self {
        let by_name = callers
            .iter()
            .flat_map(|caller| {
                let known = Caller { name: caller.name.as_str().into(), roles: caller.roles.clone() };
                caller.sans.iter().map(move |name| (name.clone(), known.clone()))
            })
            .collect();
        Self { by_name }
    }

    /// The caller that a certificate names. Beside names that nobody has it may have several of one caller; one with names
    /// of several callers is nobody's, since it could be taken for either.
    #[must_use]
    pub fn by_certificate(&self, certificate: &CertificateDer<'_>) -> Option<Caller> {
        let certificate = webpki::EndEntityCert::try_from(certificate).ok()?;
        let names = certificate.valid_uri_names().chain(certificate.valid_dns_names());
        let mut callers = names.filter_map(|name| self.by_name.get(name));
        let first = callers.next()?;
        if let Some(other) = callers.find(|other| *other != first) {
            tracing::warn!(callers = ?[&first.name, &other.name], "a certificate names several callers: it is nobody's");
            return None;
        }
        Some(first.clone())
    }
}

/// Middleware: lets a call through only when its caller is known and has a role for it.
pub async fn authorise(mut request: Request, next: Next) -> Response {
    let Some(needed) = Needed::by(request.uri().path()) else { return status::caller_not_allowed().into_http() };
    if needed == Needed::Nothing {
        return next.run(request).await;
    }
    let callers = request.extensions().get::<Arc<dyn CallerResolver>>();
    let Some(caller) = callers.and_then(|callers| callers.resolve(request.headers())) else {
        return status::caller_unknown().into_http();
    };
    if !needed.met_by(&caller) {
        return status::caller_not_allowed().into_http();
    }
    tracing::Span::current().record("caller", &*caller.name);
    request.extensions_mut().insert(caller);
    next.run(request).await
}

/// The role that an RPC needs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Needed {
    Nothing,
    Channel,
    Redeemer,
    Operator,
}

impl Needed {
    /// By path `/package.Service/Method`. A service that is not named here is nobody's.
    fn by(path: &str) -> Option<Self> {
        match path.trim_start_matches('/').split('/').next()? {
            services::TEMPORARY_PIN => Some(Self::Channel),
            services::REDEMPTION => Some(Self::Redeemer),
            services::OPERATOR => Some(Self::Operator),
            services::HEALTH | services::REFLECTION | services::REFLECTION_ALPHA => Some(Self::Nothing),
            _ => None,
        }
    }

    fn met_by(self, caller: &Caller) -> bool {
        match self {
            Self::Nothing => true,
            Self::Channel => caller.channel().is_some(),
            Self::Redeemer => caller.roles.contains(&Role::Redeemer),
            Self::Operator => caller.roles.contains(&Role::Operator),
        }
    }
}

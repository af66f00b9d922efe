//! Who calls: the client process at the other end of the connection, and what it may do.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::{Extensions, HeaderMap};
use tokio::net::TcpStream;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tonic::transport::server::{Connected, TlsConnectInfo};

use super::{services, status};
use crate::config::Role;
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

/// Tells who is at the other end: by client certificate in production, by metadata in the sandbox.
pub trait CallerResolver: Send + Sync + 'static {
    /// The caller, from the request's headers and what the connection left in its extensions.
    fn resolve(&self, headers: &HeaderMap, extensions: &Extensions) -> Option<Caller>;
}

/// Callers by the subject alternative names (DNS or URI, such as a SPIFFE id) of their client certificates.
pub struct CertificateCallers {
    by_name: BTreeMap<String, Caller>,
}

impl CertificateCallers {
    /// The callers that the configuration names, each with its subject alternative names.
    pub fn new(callers: impl IntoIterator<Item = (Caller, Vec<String>)>) -> Self {
        let by_name = callers
            .into_iter()
            .flat_map(|(caller, names)| names.into_iter().map(move |name| (name, caller.clone())))
            .collect();
        Self { by_name }
    }
}

impl CallerResolver for CertificateCallers {
    fn resolve(&self, _: &HeaderMap, extensions: &Extensions) -> Option<Caller> {
        type Info = TlsConnectInfo<<TcpStream as Connected>::ConnectInfo>;
        let certificates = extensions.get::<Info>()?.peer_certs()?;
        let certificate: &CertificateDer<'_> = certificates.first()?;
        let certificate = webpki::EndEntityCert::try_from(certificate).ok()?;
        let mut names = certificate.valid_uri_names().chain(certificate.valid_dns_names());
        names.find_map(|name| self.by_name.get(name)).cloned()
    }
}

/// Middleware: lets a call through only when its caller is known and has a role for it.
pub async fn authorise(State(callers): State<Arc<dyn CallerResolver>>, mut request: Request, next: Next) -> Response {
    let Some(needed) = Needed::by(request.uri().path()) else { return status::caller_not_allowed().into_http() };
    if needed == Needed::Nothing {
        return next.run(request).await;
    }
    let Some(caller) = callers.resolve(request.headers(), request.extensions()) else {
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

//! Identifies the caller: the client process at the other end of the connection.

use std::collections::BTreeMap;
use std::sync::Arc;

use http::HeaderMap;
use rustls::pki_types::CertificateDer;

use crate::config::{CallerSettings, Role};
use crate::domain::channel::Channel;

/// An authenticated client process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The caller's name in the configuration. Tables, audit and metrics use it.
    pub name: Arc<str>,
    /// The caller's roles. At most one is a channel.
    pub roles: Vec<Role>,
}

impl Caller {
    /// The channel that the caller serves, if it has a channel's role.
    #[must_use]
    pub fn channel(&self) -> Option<Channel> {
        self.roles.iter().find_map(|role| match role {
            Role::Channel(channel) => Some(*channel),
            Role::Redeemer | Role::Operator => None,
        })
    }
}

/// Identifies the caller of each request on a connection. The server adds it to the extensions of the requests.
pub trait CallerResolver: Send + Sync + 'static {
    /// The caller of a request with these headers. `None` if it is not known.
    fn resolve(&self, headers: &HeaderMap) -> Option<Caller>;
}

/// The caller is known from the TLS handshake, so the headers do not matter.
impl CallerResolver for Option<Caller> {
    fn resolve(&self, _: &HeaderMap) -> Option<Caller> {
        self.clone()
    }
}

/// Identifies callers by the subject alternative names (DNS or URI, such as a SPIFFE id) of their client certificates.
pub struct CertificateCallers {
    callers_by_name: BTreeMap<String, Caller>,
}

impl CertificateCallers {
    /// Takes the callers from the configuration.
    #[must_use]
    pub fn new(callers: &[CallerSettings]) -> Self {
        let callers_by_name = callers
            .iter()
            .flat_map(|settings| {
                let caller = Caller { name: settings.name.as_str().into(), roles: settings.roles.clone() };
                settings.sans.iter().map(move |name| (name.clone(), caller.clone()))
            })
            .collect();
        Self { callers_by_name }
    }

    /// The caller that a certificate names. The certificate may have several names of one caller, and names that are not
    /// configured. If it has names of several callers, it identifies none, because the choice would be arbitrary.
    #[must_use]
    pub fn identify(&self, certificate: &CertificateDer<'_>) -> Option<Caller> {
        let certificate = webpki::EndEntityCert::try_from(certificate).ok()?;
        let names = certificate.valid_uri_names().chain(certificate.valid_dns_names());
        let mut callers = names.filter_map(|name| self.callers_by_name.get(name));
        let first = callers.next()?;
        if let Some(second) = callers.find(|caller| *caller != first) {
            tracing::warn!(callers = ?[&first.name, &second.name], "a certificate names several callers: it identifies none");
            return None;
        }
        Some(first.clone())
    }
}

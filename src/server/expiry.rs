//! Until when certificates are good: as a metric, and in the log when it is not long any more.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use chrono::{DateTime, TimeDelta, Utc};
use opentelemetry::KeyValue;
use opentelemetry::metrics::Meter;
use rustls::pki_types::CertificateDer;
use tokio_util::sync::CancellationToken;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::reload::Current;
use super::tls::Certificates;
use crate::clock::Clock;
use crate::config;

/// Less than this is worth a warning.
const SHORT: TimeDelta = TimeDelta::days(14);

/// How often to warn.
const WARNING_INTERVAL: Duration = Duration::from_secs(24 * 3600);

/// Until when a certificate is good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expiry {
    /// What it is for: server, client_ca, caller.
    pub role: &'static str,
    /// Whose it is: its subject, or the caller's name in the configuration.
    pub name: String,
    /// The last moment at which it is good.
    pub not_after: DateTime<Utc>,
}

impl Expiry {
    /// Of that certificate.
    pub(super) fn of(role: &'static str, certificate: &CertificateDer<'_>) -> anyhow::Result<Self> {
        let (_, certificate) = X509Certificate::from_der(certificate).context("not an X.509 certificate")?;
        let not_after = certificate.validity().not_after.timestamp();
        let not_after = DateTime::from_timestamp_secs(not_after).context("expires at an impossible time")?;
        Ok(Self { role, name: certificate.subject().to_string(), not_after })
    }
}

/// Until when the server's certificates and those of its callers' CAs are good.
pub fn read(settings: &config::Tls) -> anyhow::Result<Vec<Expiry>> {
    Certificates::read(settings).map(|certificates| certificates.expiries)
}

/// Until when the certificates are good that are in use.
pub(super) struct Expiries {
    current: Current<Certificates>,
    /// Of each caller, that of its last connection.
    callers: Mutex<BTreeMap<Arc<str>, DateTime<Utc>>>,
}

impl Expiries {
    pub(super) fn new(current: Current<Certificates>) -> Self {
        Self { current, callers: Mutex::default() }
    }

    /// A caller has connected with that certificate.
    pub(super) fn seen(&self, caller: &Arc<str>, certificate: &CertificateDer<'_>) {
        if let Ok(expiry) = Expiry::of("caller", certificate) {
            let mut callers = self.callers.lock().unwrap_or_else(PoisonError::into_inner);
            callers.insert(Arc::clone(caller), expiry.not_after);
        }
    }

    /// Has the time that is left measured.
    pub(super) fn measure(self: &Arc<Self>, meter: &Meter, clock: Arc<dyn Clock>) {
        let expiries = Arc::clone(self);
        let gauge = meter.f64_observable_gauge("temporary_pin.certificate.expiry").with_unit("s");
        let gauge =
            gauge.with_description("Time until a certificate expires, by role and name; a caller's as last seen");
        // The meter keeps what it observes.
        let _ = gauge
            .with_callback(move |observer| {
                let now = clock.now();
                for Expiry { role, name, not_after } in expiries.all() {
                    let labels = [KeyValue::new("role", role), KeyValue::new("name", name)];
                    observer.observe((not_after - now).as_seconds_f64(), &labels);
                }
            })
            .build();
    }

    /// All of them.
    fn all(&self) -> Vec<Expiry> {
        let mut all = self.current.load().expiries.clone();
        let callers = self.callers.lock().unwrap_or_else(PoisonError::into_inner);
        all.extend(callers.iter().map(|(name, not_after)| Expiry {
            role: "caller",
            name: name.to_string(),
            not_after: *not_after,
        }));
        all
    }
}

/// Warns once a day of what will soon be good no longer, until `stop`.
pub(super) async fn warn(expiries: Arc<Expiries>, clock: Arc<dyn Clock>, stop: CancellationToken) {
    let mut days = tokio::time::interval(WARNING_INTERVAL);
    loop {
        tokio::select! {
            _ = days.tick() => {}
            () = stop.cancelled() => return,
        }
        for Expiry { role, name, not_after } in expiries.all() {
            if not_after - clock.now() < SHORT {
                tracing::warn!(role, name, %not_after, "a certificate expires soon");
            }
        }
    }
}

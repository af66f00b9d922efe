//! Connections to the service. Each caller has a certificate of its own.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Context as _;
use clap::Args;
use temporary_pin::proto::temporarypin::v1::redemption_service_client::RedemptionServiceClient;
use temporary_pin::proto::temporarypin::v1::temporary_pin_service_client::TemporaryPinServiceClient;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};

#[derive(Args, Clone)]
pub(crate) struct Target {
    /// The service, such as https://localhost:15051.
    #[arg(long, default_value = "https://localhost:15051")]
    pub(crate) target: String,
    /// The directory that `install` has made: the callers' certificates and the issuers' keys.
    #[arg(long, value_name = "DIRECTORY")]
    pub(crate) certificates: PathBuf,
    /// Connections of each caller.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) connections: u16,
}

pub(crate) struct Clients {
    pub(crate) web: Pool,
    pub(crate) phone: Pool,
    pub(crate) counter: Pool,
    pub(crate) redeemer: Pool,
}

/// The connections of one caller, used in turn.
pub(crate) struct Pool {
    channels: Vec<Channel>,
    next: AtomicUsize,
}

/// The service, with the certificate of a caller.
pub(crate) fn endpoint(target: &Target, caller: &str) -> anyhow::Result<Endpoint> {
    let read = |path: &Path| std::fs::read(path).with_context(|| format!("cannot read {}", path.display()));
    let file = |ending: &str| target.certificates.join(format!("{caller}.{ending}"));
    let tls = ClientTlsConfig::new()
        .ca_certificate(Certificate::from_pem(read(&target.certificates.join("ca.pem"))?))
        .identity(Identity::from_pem(read(&file("pem"))?, read(&file("key"))?));
    Ok(Endpoint::from_shared(target.target.clone())?.tls_config(tls)?.tcp_nodelay(true))
}

impl Clients {
    pub(crate) async fn connect(target: &Target) -> anyhow::Result<Self> {
        Ok(Self {
            web: Pool::connect(target, "web").await?,
            phone: Pool::connect(target, "phone").await?,
            counter: Pool::connect(target, "counter").await?,
            redeemer: Pool::connect(target, "redeemer").await?,
        })
    }
}

impl Pool {
    async fn connect(target: &Target, caller: &str) -> anyhow::Result<Self> {
        let endpoint = endpoint(target, caller)?;
        let mut channels = Vec::new();
        for _ in 0..target.connections {
            channels.push(endpoint.connect().await.with_context(|| format!("cannot connect to {}", target.target))?);
        }
        Ok(Self { channels, next: AtomicUsize::new(0) })
    }

    fn channel(&self) -> Channel {
        self.channels[self.next.fetch_add(1, Ordering::Relaxed) % self.channels.len()].clone()
    }

    pub(crate) fn pins(&self) -> TemporaryPinServiceClient<Channel> {
        TemporaryPinServiceClient::new(self.channel())
    }

    pub(crate) fn redemptions(&self) -> RedemptionServiceClient<Channel> {
        RedemptionServiceClient::new(self.channel())
    }
}

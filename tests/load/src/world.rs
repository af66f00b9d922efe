//! The world around the measured service: identity register, issuers, SMS gateway. They answer at once.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use made_up_world::brokers::BrokerIssuers;
use made_up_world::gateway::Gateway;
use made_up_world::indexed_people::IndexedPopulation;
use made_up_world::issuers::{self, Issuer, Issuers, WEB, WORKFORCE};
use made_up_world::register::{Register, RegisterMode};
use made_up_world::switch::Switch;
use temporary_pin::clock::SystemClock;
use tokio::net::TcpListener;

use crate::WorldAddresses;
use crate::deliveries::Deliveries;

/// The parts of the world that the load uses itself.
pub(crate) struct World {
    pub(crate) issuers: Arc<Issuers>,
    pub(crate) deliveries: Arc<Deliveries>,
    pub(crate) gateway: Arc<Gateway<Deliveries>>,
}

impl World {
    /// Serves everything until the process ends. `directory` is that of the service's installation.
    pub(crate) async fn serve(addresses: &WorldAddresses, directory: &Path) -> anyhow::Result<Self> {
        let (http, register) = (addresses.http_address, addresses.register_address);
        let issuers = Arc::new(Issuers {
            web: read_issuer(addresses, directory, WEB)?,
            workforce: read_issuer(addresses, directory, WORKFORCE)?,
            brokers: BrokerIssuers::new(&format!("http://{http}")),
        });
        let deliveries = Arc::new(Deliveries::default());
        let gateway = Arc::new(Gateway::new(Arc::clone(&deliveries), Arc::new(SystemClock)));

        let listener = TcpListener::bind(http).await.with_context(|| format!("cannot listen on {http}"))?;
        let routes = issuers.routes().merge(gateway.routes());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        let listener = TcpListener::bind(register).await.with_context(|| format!("cannot listen on {register}"))?;
        let register = Register { population: Arc::new(IndexedPopulation), mode: Switch::new(RegisterMode::Up) };
        tokio::spawn(register.serve(listener, std::future::pending()));
        Ok(Self { issuers, deliveries, gateway })
    }
}

/// Writes a signing key for each issuer. The keys belong to the installation, because the service rarely asks for new ones.
pub(crate) fn install_issuers(directory: &Path) -> anyhow::Result<()> {
    for (name, _) in [WEB, WORKFORCE] {
        let path = key_file(directory, name);
        fs::write(&path, issuers::generate_key()?).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

/// The issuer with the key that was installed.
fn read_issuer(
    addresses: &WorldAddresses,
    directory: &Path,
    (name, audience): (&str, &'static str),
) -> anyhow::Result<Issuer> {
    let path = key_file(directory, name);
    let key = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    Issuer::with_key(issuers::url(&addresses.http_url(), name), audience, &key)
}

fn key_file(directory: &Path, issuer: &str) -> PathBuf {
    directory.join(format!("issuer-{issuer}.der"))
}

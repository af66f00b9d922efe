//! Certificates and a configuration for a service that is to be measured.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use made_up_world::callers::{CALLERS, subject_alternative_name};
use made_up_world::certificates::Certificates;
use made_up_world::configuration::Configuration;
use made_up_world::gateway;

use crate::WorldAddresses;
use crate::world::install_issuers;

/// Replaces limits that do not count a person's requests: the load has one caller and one agent.
const NO_LIMIT: (u32, &str) = (1_000_000, "1s");

#[derive(Args, Clone)]
pub(crate) struct Install {
    /// Where everything is written; it is made, and must not exist.
    #[arg(long)]
    pub(crate) directory: PathBuf,
    /// The service's database.
    #[arg(long)]
    pub(crate) database_url: String,
    /// The service's Redis.
    #[arg(long)]
    pub(crate) redis_url: String,
    /// Where the service is to listen.
    #[arg(long, default_value = "127.0.0.1:15051")]
    pub(crate) address: SocketAddr,
    #[command(flatten)]
    pub(crate) world: WorldAddresses,
}

/// Writes `temporary-pin.toml`, which names a key ring `keys.toml` that is yet to be generated; the certificates; the
/// issuers' keys.
pub(crate) fn install(install: &Install) -> anyhow::Result<()> {
    let directory = &install.directory;
    fs::create_dir(directory).with_context(|| format!("cannot make {}", directory.display()))?;
    let directory = &directory.canonicalize()?;
    Certificates::make(directory)?;
    install_issuers(directory)?;
    fs::write(directory.join("temporary-pin.toml"), configuration(install, directory).to_toml())?;
    Ok(())
}

/// The defaults, but no limits except those of a person, and resends without a wait. The database is thrown away, so its
/// owner also serves.
fn configuration(install: &Install, directory: &Path) -> Configuration {
    let register_url = format!("http://{}", install.world.register_address);
    let http_url = install.world.http_url();
    let gateway_url = format!("{http_url}{}", gateway::PATH);
    let mut configuration = Configuration::new(&http_url, &register_url, &gateway_url, directory, "ca.pem");
    configuration.set("server.address", install.address.to_string());
    configuration.set("server.connections.limit", 12_000); // the bench opens 10,000
    configuration.set("postgres.url", install.database_url.as_str());
    configuration.set("postgres.role_check", "warn");
    configuration.set("redis.url", install.redis_url.as_str());
    configuration.set("telemetry.log", "warn");
    configuration.set("rules.pin.resend_interval", "0s");
    configuration.set("rules.pin.sends", 1000);
    for limit in ["agent_verifications", "agent_pins", "service_pins", "caller_calls"] {
        configuration.set(&format!("rules.limits.{limit}.times"), NO_LIMIT.0);
        configuration.set(&format!("rules.limits.{limit}.per"), NO_LIMIT.1);
    }
    for (name, role) in CALLERS {
        configuration.add_caller(name, &[&subject_alternative_name(name)], &[role]);
    }
    configuration
}

//! Certificates and a configuration for a service that is to be measured.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use made_up_world::callers;
use made_up_world::certificates::Certificates;

use crate::WorldAddresses;
use crate::world::{AGENTS, Issuer, PERSONS, issuer_url};

/// The callers and their roles.
const CALLERS: [(&str, &str); 4] =
    [("web", "channel:web"), ("phone", "channel:phone"), ("counter", "channel:counter"), ("redeemer", "redeemer")];

/// What `temporary-pin-load install` takes.
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
    for issuer in [PERSONS, AGENTS] {
        Issuer::install(directory, issuer)?;
    }
    fs::write(directory.join("temporary-pin.toml"), configuration(install, directory))?;
    Ok(())
}

/// The defaults, but for the limits of what is not a person: one load is one caller with one agent. Resends come
/// without a wait. The database is thrown away, so whoever owns it also serves.
fn configuration(install: &Install, directory: &Path) -> String {
    let WorldAddresses { http_address, register_address } = install.world;
    let file = |name: &str| directory.join(name).display().to_string();
    let callers: String = CALLERS
        .iter()
        .map(|(name, role)| {
            format!(
                "\n[[callers]]\nname = {name:?}\nsans = [{:?}]\nroles = [{role:?}]\n",
                callers::subject_alternative_name(name)
            )
        })
        .collect();
    format!(
        "\
server.address = {address:?}
server.tls = {{ certificate = {certificate:?}, key = {key:?}, client_ca = {ca:?} }}
postgres = {{ url = {database:?}, role_check = \"warn\" }}
redis.url = {redis:?}
register.url = \"http://{register_address}\"
web_login = {{ issuer = {persons:?}, audience = {PERSONS:?} }}
agent_login = {{ issuer = {agents:?}, audience = {AGENTS:?} }}
sms.gateway = {{ url = \"http://{http_address}/rest/mtsms\", token = \"load\" }}
keys.file = {keys:?}
telemetry.log = \"warn\"

[rules]
pin.resend_interval = \"0s\"
pin.sends = 1000

[rules.limits]
agent_verifications = {{ times = 1000000, per = \"1s\" }}
agent_pins = {{ times = 1000000, per = \"1s\" }}
service_pins = {{ times = 1000000, per = \"1s\" }}
caller_calls = {{ times = 1000000, per = \"1s\" }}
{callers}",
        address = install.address.to_string(),
        certificate = file("server.pem"),
        key = file("server.key"),
        ca = file("ca.pem"),
        database = install.database_url,
        redis = install.redis_url,
        persons = issuer_url(http_address, PERSONS),
        agents = issuer_url(http_address, AGENTS),
        keys = file("keys.toml"),
    )
}

//! `temporary-pin check-config`: checks the configuration and the files that it names, without connecting anywhere.

use std::path::Path;

use temporary_pin::config::{Config, ConfigError};
use temporary_pin::server::certificates::{self, CertificateExpiry};

pub(crate) fn run(file: Option<&Path>, config: &Config) -> anyhow::Result<()> {
    config.key_ring()?;
    let expiries = config.server.tls.as_ref().map(certificates::read_expiries).transpose();
    let expiries = expiries.map_err(|error| ConfigError(vec![format!("{error:#}")]))?.unwrap_or_default();
    let callers: Vec<&str> = config.callers.iter().map(|caller| caller.name.as_str()).collect();
    println!("settings: valid ({}, environment)", file.map_or("no file".into(), Path::to_string_lossy));
    println!("secrets:  read");
    println!("TLS:      certificate, key and client CAs read");
    for CertificateExpiry { role, name, not_after } in expiries {
        println!("          {role} {name} is good until {not_after}");
    }
    println!("key ring: read ({})", config.keys.file.display());
    println!("callers:  {}", callers.join(", "));
    println!("Not checked: whether Postgres, Redis, the register, the issuers and the gateway answer.");
    Ok(())
}

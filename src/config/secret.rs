//! Reads secrets from files of their own, so that neither the configuration file nor the environment has to hold them.

use std::path::Path;

use secrecy::{ExposeSecret as _, SecretString};
use zeroize::Zeroizing;

use super::Config;

/// Reads each secret that is configured as a file, and checks that no secret is missing. Returns the problems.
pub(super) fn read_secret_files(config: &mut Config) -> Vec<String> {
    let Config { postgres, redis, sms, .. } = config;
    let mut results = vec![
        read_secret_file("postgres.url", &mut postgres.url, postgres.url_file.as_deref()),
        read_secret_file("redis.url", &mut redis.url, redis.url_file.as_deref()),
    ];
    if sms.gateways.is_empty() {
        let gateway = &mut sms.gateway;
        results.push(read_secret_file("sms.gateway.token", &mut gateway.token, gateway.token_file.as_deref()));
    }
    for (index, gateway) in sms.gateways.iter_mut().enumerate() {
        let key = format!("sms.gateways[{index}].token");
        results.push(read_secret_file(&key, &mut gateway.token, gateway.token_file.as_deref()));
    }
    results.into_iter().filter_map(Result::err).collect()
}

fn read_secret_file(key: &str, secret: &mut SecretString, file: Option<&Path>) -> Result<(), String> {
    let Some(file) = file else {
        return if is_empty(secret) {
            Err(format!("{key}: is missing; set {key}_file to a file that holds it"))
        } else {
            Ok(())
        };
    };
    if !is_empty(secret) {
        return Err(format!("{key}: set it or {key}_file, not both"));
    }
    *secret = read_secret(file).map_err(|problem| format!("{key}_file: {problem}"))?;
    Ok(())
}

/// Reads a secret from its file. The error names the file.
pub(crate) fn read_secret(file: &Path) -> Result<SecretString, String> {
    let text = std::fs::read_to_string(file)
        .map(Zeroizing::new)
        .map_err(|error| format!("cannot read {}: {error}; name a readable file", file.display()))?;
    // Editors and `echo` add a line break at the end of a file. It is not part of the secret.
    let secret = SecretString::from(text.trim_end());
    if is_empty(&secret) { Err(format!("{} is empty; it must hold the value", file.display())) } else { Ok(secret) }
}

fn is_empty(secret: &SecretString) -> bool {
    secret.expose_secret().is_empty()
}

//! Certificates for development: one for the service and one for each caller. The authority's own key is not kept, so all
//! are made together.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use chrono::{DateTime, Days, Utc};
use rcgen::{BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, KeyUsagePurpose};
use serde_json::{Value, json};
use temporary_pin::clock::{Clock as _, SystemClock};
use temporary_pin::config::TlsSettings;
use temporary_pin::server::certificates::{CertificateExpiry, read_expiries};

use crate::authority::{Authority, set_end, set_start};
use crate::callers::{CALLERS, subject_alternative_name};

/// How long the certificates are valid.
const LIFETIME: Days = Days::new(30);

/// Certificates that expire sooner are replaced.
const LEAST_TIME_LEFT: Days = Days::new(7);

/// Names of a server on this machine.
const SERVER_NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// A directory with `ca.pem`, and NAME.pem and NAME.key of the server and each caller.
pub struct Certificates(PathBuf);

impl Certificates {
    /// Uses the certificates of an earlier run, so that clients need not be configured again. Makes new ones if one is
    /// missing, unreadable or about to expire.
    pub fn keep_or_make(directory: &Path) -> anyhow::Result<Self> {
        let earlier = directory.canonicalize().map(Self).ok();
        match earlier.filter(|certificates| certificates.are_usable(SystemClock.now())) {
            Some(certificates) => Ok(certificates),
            None => Self::make(directory),
        }
    }

    fn are_usable(&self, now: DateTime<Utc>) -> bool {
        let has_files = |(caller, _): (&str, _)| {
            self.path(&format!("{caller}.pem")).is_file() && self.path(&format!("{caller}.key")).is_file()
        };
        let is_valid = |expiry: &CertificateExpiry| expiry.not_after > now + LEAST_TIME_LEFT;
        let server = read_expiries(&self.tls());
        CALLERS.into_iter().all(has_files) && server.is_ok_and(|expiries| expiries.iter().all(is_valid))
    }

    /// Makes the certificates and replaces those of an earlier run. Only the owner can read the directory.
    pub fn make(directory: &Path) -> anyhow::Result<Self> {
        fs::create_dir_all(directory).with_context(|| format!("cannot make {}", directory.display()))?;
        fs::set_permissions(directory, fs::Permissions::from_mode(0o700))?;
        // Absolute: programs in other directories read these paths.
        let certificates = Self(directory.canonicalize()?);
        let now = SystemClock.now();
        let authority = Authority::with(|params| {
            set_name_and_lifetime(params, "CA", now);
            params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
            params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        })?;
        certificates.write("ca.pem", authority.pem())?;

        let sign = |name: &str, names: &[&str], usage| {
            let signed = authority.sign_with(names, |params| {
                set_name_and_lifetime(params, name, now);
                params.extended_key_usages = vec![usage];
                params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
            })?;
            certificates.write(&format!("{name}.pem"), &signed.certificate)?;
            certificates.write(&format!("{name}.key"), &signed.key)
        };
        sign("server", &SERVER_NAMES, ExtendedKeyUsagePurpose::ServerAuth)?;
        for (caller, _) in CALLERS {
            sign(caller, &[&subject_alternative_name(caller)], ExtendedKeyUsagePurpose::ClientAuth)?;
        }
        Ok(certificates)
    }

    /// The files that the service reads.
    #[must_use]
    pub fn tls(&self) -> TlsSettings {
        TlsSettings {
            certificate: self.path("server.pem"),
            key: self.path("server.key"),
            client_ca: self.path("ca.pem"),
        }
    }

    /// The files that clients read: the CA, and each caller's certificate and key.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let files = |(name, _): (&str, _)| {
            let files = json!({
                "certificate": self.path(&format!("{name}.pem")),
                "key": self.path(&format!("{name}.key")),
            });
            (name.to_owned(), files)
        };
        let callers: serde_json::Map<String, Value> = CALLERS.into_iter().map(files).collect();
        json!({ "ca": self.path("ca.pem"), "callers": callers })
    }

    fn write(&self, name: &str, pem: &str) -> anyhow::Result<()> {
        let path = self.path(name);
        let file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&path);
        file.and_then(|mut file| file.write_all(pem.as_bytes()))
            .with_context(|| format!("cannot write {}", path.display()))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

/// Valid from yesterday, because clocks differ.
fn set_name_and_lifetime(params: &mut CertificateParams, name: &str, now: DateTime<Utc>) {
    params.distinguished_name.push(DnType::CommonName, format!("sandbox {name}"));
    set_start(params, now - Days::new(1));
    set_end(params, now + LIFETIME);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usable_certificates_are_kept_and_others_replaced() {
        let directory = std::env::temp_dir().join(format!("certificates-{}", std::process::id()));
        let authority = || {
            Certificates::keep_or_make(&directory).unwrap();
            fs::read_to_string(directory.join("ca.pem")).unwrap()
        };
        let first = authority();
        assert_eq!(authority(), first, "all are there");
        fs::remove_file(directory.join("web.key")).unwrap();
        let second = authority();
        assert_ne!(second, first, "a key was missing");
        fs::write(directory.join("server.pem"), "damaged").unwrap();
        assert_ne!(authority(), second, "a certificate was damaged");

        let certificates = Certificates::keep_or_make(&directory).unwrap();
        assert!(certificates.are_usable(SystemClock.now()));
        assert!(!certificates.are_usable(SystemClock.now() + LIFETIME - LEAST_TIME_LEFT), "a week is left");
        fs::remove_dir_all(directory).unwrap();
    }
}

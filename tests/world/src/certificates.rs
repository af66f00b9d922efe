//! A certificate authority for development, and what it signs: for the service and for each caller. Made anew each time; the
//! authority's own key is not kept.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use chrono::{DateTime, Datelike as _, Days, Utc};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    SanType, date_time_ymd,
};
use serde_json::{Value, json};
use temporary_pin::clock::{Clock as _, SystemClock};
use temporary_pin::config::TlsSettings;

use crate::callers;

/// How long they are good.
const LIFETIME: Days = Days::new(30);

/// The certificates in a directory.
pub struct Certificates(PathBuf);

impl Certificates {
    /// Makes them, in place of those that are there. The directory is for its owner alone.
    pub fn make(directory: &Path) -> anyhow::Result<Self> {
        fs::create_dir_all(directory).with_context(|| format!("cannot make {}", directory.display()))?;
        fs::set_permissions(directory, fs::Permissions::from_mode(0o700))?;
        // Whoever reads their paths may be elsewhere.
        let certificates = Self(directory.canonicalize()?);
        let mut authority = params("sandbox CA", vec![])?;
        authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        authority.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let key = KeyPair::generate()?;
        certificates.write("ca.pem", &authority.self_signed(&key)?.pem())?;
        let authority = Issuer::new(authority, key);

        let addresses = ["127.0.0.1", "::1"].map(|address| address.parse().map(SanType::IpAddress));
        let names = [Ok(SanType::DnsName("localhost".try_into()?))].into_iter().chain(addresses);
        let names = names.collect::<Result<_, _>>()?;
        certificates.sign(&authority, "server", names, ExtendedKeyUsagePurpose::ServerAuth)?;
        for caller in callers::NAMES {
            let name = SanType::URI(callers::subject_alternative_name(caller).try_into()?);
            certificates.sign(&authority, caller, vec![name], ExtendedKeyUsagePurpose::ClientAuth)?;
        }
        Ok(certificates)
    }

    /// What the service takes of them.
    pub fn tls(&self) -> TlsSettings {
        TlsSettings {
            certificate: self.path("server.pem"),
            key: self.path("server.key"),
            client_ca: self.path("ca.pem"),
        }
    }

    /// What a client takes of them: the CA, and each caller's certificate and key.
    pub fn to_json(&self) -> Value {
        let pair = |name: &str| {
            let files = json!({
                "certificate": self.path(&format!("{name}.pem")),
                "key": self.path(&format!("{name}.key")),
            });
            (name.to_owned(), files)
        };
        let callers: serde_json::Map<String, Value> = callers::NAMES.into_iter().map(pair).collect();
        json!({ "ca": self.path("ca.pem"), "callers": callers })
    }

    /// Writes a certificate and its key.
    fn sign(
        &self,
        authority: &Issuer<'_, KeyPair>,
        name: &str,
        names: Vec<SanType>,
        usage: ExtendedKeyUsagePurpose,
    ) -> anyhow::Result<()> {
        let mut params = params(&format!("sandbox {name}"), names)?;
        params.extended_key_usages = vec![usage];
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        let key = KeyPair::generate()?;
        self.write(&format!("{name}.pem"), &params.signed_by(&key, authority)?.pem())?;
        self.write(&format!("{name}.key"), &key.serialize_pem())
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

/// Good from yesterday, since clocks differ.
fn params(name: &str, names: Vec<SanType>) -> anyhow::Result<CertificateParams> {
    let now = SystemClock.now();
    let mut params = CertificateParams::default();
    params.subject_alt_names = names;
    params.distinguished_name.push(DnType::CommonName, name);
    let day = |day: Option<DateTime<Utc>>| {
        let day = day.context("the clock is at the end of time")?;
        anyhow::Ok(date_time_ymd(day.year(), u8::try_from(day.month())?, u8::try_from(day.day())?))
    };
    params.not_before = day(now.checked_sub_days(Days::new(1)))?;
    params.not_after = day(now.checked_add_days(LIFETIME))?;
    Ok(params)
}

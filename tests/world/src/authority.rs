//! A certificate authority, and the certificates that it signs.

use chrono::{DateTime, Datelike as _, Utc};
use rcgen::{
    BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, SanType, date_time_ymd,
};
use tonic::transport::{Certificate, Identity};

/// An authority with a key of its own.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

/// A certificate and its key, as PEM.
pub struct SignedCertificate {
    pub certificate: String,
    pub key: String,
}

impl Authority {
    #[must_use]
    #[expect(clippy::new_without_default, reason = "each one has a new key")]
    pub fn new() -> Self {
        Self::with(|_| ()).expect("the parameters are valid")
    }

    /// Lets `change` alter the authority's own certificate before it is signed.
    pub fn with(change: impl FnOnce(&mut CertificateParams)) -> Result<Self, rcgen::Error> {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        change(&mut params);
        let key = KeyPair::generate()?;
        let pem = params.self_signed(&key)?.pem();
        Ok(Self { issuer: Issuer::new(params, key), pem })
    }

    #[must_use]
    pub fn pem(&self) -> &str {
        &self.pem
    }

    #[must_use]
    pub fn certificate(&self) -> Certificate {
        Certificate::from_pem(&self.pem)
    }

    /// Signs a certificate for these names: IP addresses, URIs (with a scheme) or DNS names.
    #[must_use]
    pub fn sign(&self, names: &[&str]) -> SignedCertificate {
        self.sign_valid(names, |_| ())
    }

    /// Signs a certificate that has expired.
    #[must_use]
    pub fn sign_expired(&self, names: &[&str]) -> SignedCertificate {
        self.sign_valid(names, |params| {
            params.not_before = date_time_ymd(2020, 1, 1);
            params.not_after = date_time_ymd(2021, 1, 1);
        })
    }

    /// Signs a certificate that is not valid yet.
    #[must_use]
    pub fn sign_not_yet_valid(&self, names: &[&str]) -> SignedCertificate {
        self.sign_valid(names, |params| params.not_before = date_time_ymd(3000, 1, 1))
    }

    /// Signs a certificate that only a server may use.
    #[must_use]
    pub fn sign_for_servers(&self, names: &[&str]) -> SignedCertificate {
        self.sign_valid(names, |params| params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth])
    }

    /// Signs a certificate that is valid until the start of that day.
    #[must_use]
    pub fn sign_until(&self, names: &[&str], day: DateTime<Utc>) -> SignedCertificate {
        self.sign_valid(names, |params| set_end(params, day))
    }

    fn sign_valid(&self, names: &[&str], change: impl FnOnce(&mut CertificateParams)) -> SignedCertificate {
        self.sign_with(names, change).expect("the names are valid")
    }

    /// Signs a certificate for these names after `change` has altered it. Fails for names that no certificate can hold.
    pub fn sign_with(
        &self,
        names: &[&str],
        change: impl FnOnce(&mut CertificateParams),
    ) -> Result<SignedCertificate, rcgen::Error> {
        let mut params = CertificateParams::default();
        params.subject_alt_names = names.iter().copied().map(alternative_name).collect::<Result<_, _>>()?;
        change(&mut params);
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &self.issuer)?.pem();
        Ok(SignedCertificate { certificate, key: key.serialize_pem() })
    }
}

impl SignedCertificate {
    #[must_use]
    pub fn identity(&self) -> Identity {
        Identity::from_pem(&self.certificate, &self.key)
    }
}

fn alternative_name(name: &str) -> Result<SanType, rcgen::Error> {
    Ok(match name.parse() {
        Ok(address) => SanType::IpAddress(address),
        Err(_) if name.contains("://") => SanType::URI(name.try_into()?),
        Err(_) => SanType::DnsName(name.try_into()?),
    })
}

/// Sets until when a certificate is valid, to the start of a day in UTC.
pub(crate) fn set_end(params: &mut CertificateParams, day: DateTime<Utc>) {
    params.not_after = date_time_ymd(day.year(), day.month() as u8, day.day() as u8);
}

/// Sets from when a certificate is valid, to the start of a day in UTC.
pub(crate) fn set_start(params: &mut CertificateParams, day: DateTime<Utc>) {
    params.not_before = date_time_ymd(day.year(), day.month() as u8, day.day() as u8);
}

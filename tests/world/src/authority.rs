//! A certificate authority and what it signs.

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
pub struct Signed {
    pub certificate: String,
    pub key: String,
}

impl Authority {
    pub fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("rcgen takes it");
        let pem = params.self_signed(&key).expect("rcgen takes it").pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    pub fn pem(&self) -> &str {
        &self.pem
    }

    pub fn certificate(&self) -> Certificate {
        Certificate::from_pem(&self.pem)
    }

    /// For these names: URIs, which have a scheme, and DNS names.
    pub fn sign(&self, names: &[&str]) -> Signed {
        self.sign_with(names, |_| ())
    }

    /// The same, but no longer valid.
    pub fn sign_expired(&self, names: &[&str]) -> Signed {
        self.sign_with(names, |params| {
            params.not_before = date_time_ymd(2020, 1, 1);
            params.not_after = date_time_ymd(2021, 1, 1);
        })
    }

    /// The same, but not valid yet.
    pub fn sign_not_yet_valid(&self, names: &[&str]) -> Signed {
        self.sign_with(names, |params| params.not_before = date_time_ymd(3000, 1, 1))
    }

    /// The same, but for servers alone.
    pub fn sign_for_servers(&self, names: &[&str]) -> Signed {
        self.sign_with(names, |params| params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth])
    }

    /// The same, valid until that day.
    pub fn sign_until(&self, names: &[&str], day: DateTime<Utc>) -> Signed {
        let (month, of_month) =
            (u8::try_from(day.month()).expect("rcgen takes it"), u8::try_from(day.day()).expect("rcgen takes it"));
        self.sign_with(names, |params| params.not_after = date_time_ymd(day.year(), month, of_month))
    }

    fn sign_with(&self, names: &[&str], change: impl FnOnce(&mut CertificateParams)) -> Signed {
        let mut params = CertificateParams::default();
        let alternative = |name: &&str| match name.contains("://") {
            true => SanType::URI((*name).try_into().expect("rcgen takes it")),
            false => SanType::DnsName((*name).try_into().expect("rcgen takes it")),
        };
        params.subject_alt_names = names.iter().map(alternative).collect();
        change(&mut params);
        let key = KeyPair::generate().expect("rcgen takes it");
        let certificate = params.signed_by(&key, &self.issuer).expect("rcgen takes it").pem();
        Signed { certificate, key: key.serialize_pem() }
    }
}

impl Signed {
    pub fn identity(&self) -> Identity {
        Identity::from_pem(&self.certificate, &self.key)
    }
}

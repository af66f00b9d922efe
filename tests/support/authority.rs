//! A certificate authority and what it signs.

#![allow(dead_code, reason = "each test crate uses a part of this")]

use chrono::{DateTime, Datelike as _, Utc};
use rcgen::{
    BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, SanType, date_time_ymd,
};
use tonic::transport::{Certificate, Identity};

/// An authority with a key of its own.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

/// A certificate and its key, as PEM.
pub(crate) struct Signed {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    pub(crate) fn pem(&self) -> &str {
        &self.pem
    }

    pub(crate) fn certificate(&self) -> Certificate {
        Certificate::from_pem(&self.pem)
    }

    /// For these names: URIs, which have a scheme, and DNS names.
    pub(crate) fn sign(&self, names: &[&str]) -> Signed {
        self.sign_with(names, |_| ())
    }

    /// The same, but no longer valid.
    pub(crate) fn sign_expired(&self, names: &[&str]) -> Signed {
        self.sign_with(names, |params| {
            params.not_before = date_time_ymd(2020, 1, 1);
            params.not_after = date_time_ymd(2021, 1, 1);
        })
    }

    /// The same, but not valid yet.
    pub(crate) fn sign_not_yet_valid(&self, names: &[&str]) -> Signed {
        self.sign_with(names, |params| params.not_before = date_time_ymd(3000, 1, 1))
    }

    /// The same, but for servers alone.
    pub(crate) fn sign_for_servers(&self, names: &[&str]) -> Signed {
        self.sign_with(names, |params| params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth])
    }

    /// The same, valid until that day.
    pub(crate) fn sign_until(&self, names: &[&str], day: DateTime<Utc>) -> Signed {
        let (month, of_month) = (u8::try_from(day.month()).unwrap(), u8::try_from(day.day()).unwrap());
        self.sign_with(names, |params| params.not_after = date_time_ymd(day.year(), month, of_month))
    }

    fn sign_with(&self, names: &[&str], change: impl FnOnce(&mut CertificateParams)) -> Signed {
        let mut params = CertificateParams::default();
        let alternative = |name: &&str| match name.contains("://") {
            true => SanType::URI((*name).try_into().unwrap()),
            false => SanType::DnsName((*name).try_into().unwrap()),
        };
        params.subject_alt_names = names.iter().map(alternative).collect();
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap().pem();
        Signed { certificate, key: key.serialize_pem() }
    }
}

impl Signed {
    pub(crate) fn identity(&self) -> Identity {
        Identity::from_pem(&self.certificate, &self.key)
    }
}

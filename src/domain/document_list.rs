//! The settings that say which documents are accepted (R15, R19, R20).

use std::collections::BTreeMap;

use serde::Deserialize;

use super::document::{Document, DocumentKind};

/// Which documents each channel accepts.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DocumentRules {
    /// R15: by phone.
    pub phone: DocumentList,
    /// R19: at the counter, by themselves. A passport or residence permit among them must show the CPR number; otherwise it needs
    /// a supporting document.
    pub counter: DocumentList,
    /// R19: at the counter, together with a supporting document.
    pub counter_supported: DocumentList,
    /// R20: of a witness.
    pub witness: DocumentList,
    /// R19: whether a document at the counter counts as one without CPR number if the clerk does not state that it shows one.
    pub cpr_number_must_be_stated: bool,
}

impl Default for DocumentRules {
    fn default() -> Self {
        use DocumentKind::{
            DrivingLicence, ForeignMinistryCard, IdentityCard, MunicipalIdentityCard, Passport, ResidencePermit,
        };
        let of = |codes: &[&str]| Issuers::These(codes.iter().map(ToString::to_string).collect());
        let any = Issuers::Any(AnyIssuer::Any);
        Self {
            phone: DocumentList::new([(Passport, of(&["DNK", "GRL"])), (DrivingLicence, of(&["DNK", "GRL"]))]),
            counter: DocumentList::new([
                (Passport, of(&["DNK", "GRL", "FRO"])),
                (DrivingLicence, of(&["DNK", "GRL"])),
                (ResidencePermit, of(&["DNK"])),
                (ForeignMinistryCard, of(&["DNK"])),
            ]),
            counter_supported: DocumentList::new([
                (Passport, any.clone()),
                (IdentityCard, any.clone()),
                (MunicipalIdentityCard, of(&["DNK"])),
            ]),
            witness: DocumentList::new([
                (Passport, any.clone()),
                (IdentityCard, any.clone()),
                (ResidencePermit, any),
                (DrivingLicence, of(&["DNK", "GRL"])),
            ]),
            cpr_number_must_be_stated: false,
        }
    }
}

impl DocumentRules {
    /// Applies the setting `document_issuers` of 0.1.0: the phone, and the counter without supporting document, accept documents
    /// of these issuers instead of those in their own lists.
    pub fn apply_document_issuers(&mut self, issuers: &[String]) {
        for list in [&mut self.phone, &mut self.counter] {
            for listed in list.0.values_mut() {
                *listed = Issuers::These(issuers.to_vec());
            }
        }
    }

    /// The lists, each with the name of its setting.
    #[must_use]
    pub const fn by_name(&self) -> [(&'static str, &DocumentList); 4] {
        [
            ("phone", &self.phone),
            ("counter", &self.counter),
            ("counter_supported", &self.counter_supported),
            ("witness", &self.witness),
        ]
    }
}

/// The kinds of document that are accepted, each with its issuers.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(transparent)]
pub struct DocumentList(BTreeMap<DocumentKind, Issuers>);

impl DocumentList {
    fn new<const N: usize>(kinds: [(DocumentKind, Issuers); N]) -> Self {
        Self(BTreeMap::from(kinds))
    }

    #[must_use]
    pub fn contains(&self, document: &Document) -> bool {
        self.0.get(&document.kind).is_some_and(|issuers| issuers.contain(&document.issuer))
    }

    pub fn kinds(&self) -> impl Iterator<Item = DocumentKind> {
        self.0.keys().copied()
    }

    /// The codes of all issuers that are listed by code.
    pub fn issuer_codes(&self) -> impl Iterator<Item = &str> {
        self.0
            .values()
            .flat_map(|issuers| match issuers {
                Issuers::Any(_) => [].iter(),
                Issuers::These(codes) => codes.iter(),
            })
            .map(String::as_str)
    }
}

/// The issuers of one kind of document.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum Issuers {
    Any(AnyIssuer),
    These(Vec<String>),
}

/// The word that stands for every issuer.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum AnyIssuer {
    Any,
}

impl Issuers {
    fn contain(&self, issuer: &str) -> bool {
        match self {
            Self::Any(AnyIssuer::Any) => true,
            Self::These(codes) => codes.iter().any(|code| code == issuer),
        }
    }
}

//! The key ring: every secret key of the service, by purpose and id. It is read from a file, so that no key is in the
//! database.
//!
//! The active key of a purpose makes new values. The other keys open and check older values. To rotate a key, add a new one,
//! and activate it when every instance has read it (docs/keys.md).

mod file;
mod pin_verifier;
mod pseudonym;
mod purpose;
mod seal;

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, ensure};
use aws_lc_rs::aead::{AES_256_GCM, RandomizedNonceKey};
use aws_lc_rs::hmac;
use rand::Rng;
use zeroize::Zeroizing;

pub use file::RingFile;
use file::{KEY_LENGTH, KeySet};
pub use pseudonym::PersonPseudonyms;
pub use purpose::KeyPurpose;
pub use seal::OpenError;

/// The text whose MAC is the check value of a key. No other MAC is of 25 bytes without a zero byte: pseudonyms contain one or are of
/// 32 bytes, verifiers are of 40, seals contain lengths of eight bytes.
const CHECKED_TEXT: &[u8] = b"temporary-pin check value";

/// The keys of the service, ready for use. Does not implement `Debug`, so that no key can be logged.
///
/// Keys are wiped when they are dropped: AWS-LC cleanses the context of an HMAC (`HMAC_CTX_cleanup`) and all memory that it
/// frees (`OPENSSL_free`), which covers AEAD keys.
pub struct KeyRing {
    /// The pseudonym keys from id 1 to the active one, in order. All of them are needed: see `pseudonym.rs`.
    pseudonym: Vec<hmac::Key>,
    verifier: Keys<hmac::Key>,
    sealing: Keys<RandomizedNonceKey>,
    audit: Keys<hmac::Key>,
    /// The check value of each key: a MAC of a fixed text under that key, by which two rings can be compared.
    check_values: BTreeMap<(KeyPurpose, i32), [u8; 32]>,
}

/// The keys of one purpose by id, and the id of the active one.
struct Keys<K> {
    keys: BTreeMap<i32, K>,
    active: i32,
}

impl KeyRing {
    /// Reads the key ring from a file made by [`generate`]. Errors name the file and the key, never the value of a key.
    pub fn load(path: &Path) -> anyhow::Result<Self> {
        Self::new(&RingFile::load(path)?).with_context(|| file::describe_invalid(path))
    }

    /// Reads the key ring from the text of its file. Errors name the key, never its value.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        Self::new(&RingFile::parse(text)?)
    }

    fn new(file: &RingFile) -> anyhow::Result<Self> {
        let key_set = |purpose| {
            file.0.get(&purpose).with_context(|| {
                format!("{purpose}: needs at least one key: `temporary-pin keys add --ring FILE --purpose {purpose}`")
            })
        };
        let hmac_key = |bytes: &[u8; KEY_LENGTH]| Ok(hmac::Key::new(hmac::HMAC_SHA256, bytes));
        let pseudonym = key_set(KeyPurpose::Pseudonym)?;
        for (expected, id) in (1..).zip(pseudonym.keys.keys()) {
            ensure!(expected == *id, "pseudonym.{expected}: is missing; from 1 on every one is needed (docs/keys.md)");
        }
        let check_value = |key: &[u8; KEY_LENGTH]| {
            to_array(hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), CHECKED_TEXT).as_ref())
        };
        let check_values = |(purpose, set): (&KeyPurpose, &KeySet)| -> Vec<_> {
            set.keys.iter().map(|(id, key)| ((*purpose, *id), check_value(key))).collect()
        };
        Ok(Self {
            pseudonym: pseudonym
                .keys
                .range(..=pseudonym.active)
                .map(|(_, key)| hmac_key(key))
                .collect::<Result<_, _>>()?,
            verifier: Keys::new(key_set(KeyPurpose::Verifier)?, hmac_key)?,
            sealing: Keys::new(key_set(KeyPurpose::Sealing)?, |bytes| {
                RandomizedNonceKey::new(&AES_256_GCM, bytes).context("sealing: not a key for AES-256-GCM")
            })?,
            audit: Keys::new(key_set(KeyPurpose::Audit)?, hmac_key)?,
            check_values: file.0.iter().flat_map(check_values).collect(),
        })
    }

    /// Checks that this ring may replace `serving` in a running process: it has every key of that ring, so it can read every
    /// value that `serving` has made, and it has the same active pseudonym key, so it finds every row.
    pub fn check_can_replace(&self, serving: &Self) -> anyhow::Result<()> {
        for ((purpose, id), check_value) in &serving.check_values {
            let ours = self.check_values.get(&(*purpose, *id));
            ensure!(ours.is_some(), "{purpose}.{id}: is missing; a key is taken out by a restart");
            ensure!(ours == Some(check_value), "{purpose}.{id}: is another key than the one that serves");
        }
        let (new, old) = (self.pseudonym_key_id(), serving.pseudonym_key_id());
        ensure!(
            new == old,
            "pseudonym.active: is {new}, and {old} serves; stop the service to change it (docs/keys.md)"
        );
        Ok(())
    }

    /// For each key its purpose, its id and its check value. The database keeps them, and they tell nothing about the keys.
    pub fn check_values(&self) -> impl Iterator<Item = (&'static str, i32, [u8; 32])> {
        self.check_values.iter().map(|((purpose, id), value)| (purpose.as_str(), *id, *value))
    }

    /// The MAC of `bytes`, which belong to a seal of the audit, and the id of the key that made it.
    #[must_use]
    pub fn audit_mac(&self, bytes: &[u8]) -> (i32, [u8; 32]) {
        let (key_id, key) = self.audit.active();
        (key_id, to_array(hmac::sign(key, bytes).as_ref()))
    }

    /// Whether [`Self::audit_mac`] made this MAC of these bytes, in constant time. `false` if the key is not in the ring.
    #[must_use]
    pub fn audit_mac_matches(&self, key_id: i32, bytes: &[u8], mac: &[u8]) -> bool {
        self.audit.get(key_id).is_some_and(|key| hmac::verify(key, bytes, mac).is_ok())
    }
}

impl<K> Keys<K> {
    fn new(set: &KeySet, make: impl Fn(&[u8; KEY_LENGTH]) -> anyhow::Result<K>) -> anyhow::Result<Self> {
        let keys = set.keys.iter().map(|(id, bytes)| Ok((*id, make(bytes)?))).collect::<anyhow::Result<_>>()?;
        Ok(Self { keys, active: set.active })
    }

    /// The active key and its id.
    fn active(&self) -> (i32, &K) {
        // `RingFile::parse` checks it.
        (self.active, self.get(self.active).expect("the active key is one of the keys"))
    }

    fn get(&self, id: i32) -> Option<&K> {
        self.keys.get(&id)
    }
}

/// The text of a new key ring file with one key for each purpose.
pub fn generate(rng: &mut impl Rng) -> Zeroizing<String> {
    RingFile::generate(rng).to_text()
}

/// An HMAC-SHA-256 tag as an array.
fn to_array(tag: &[u8]) -> [u8; 32] {
    let mut array = [0; 32];
    array.copy_from_slice(tag);
    array
}

#[cfg(test)]
mod tests;

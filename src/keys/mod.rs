//! The key ring: every secret key of the service, by purpose and id, from a file outside the database.
//!
//! The active key of a purpose makes new values; the others still open or check old ones. A key is rotated by adding one,
//! and by activating it once every instance knows it (docs/keys.md).
//!
//! Pseudonym keys are layers: the first makes a pseudonym of a person, each other one of what the one before made, up to the
//! active one. So what is stored can be brought under a new key without knowing anybody.

mod file;
mod purpose;

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use anyhow::{Context as _, ensure};
use aws_lc_rs::aead::{AES_256_GCM, Aad, MAX_TAG_LEN, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::hmac;
use rand::Rng;
use uuid::Uuid;
use zeroize::Zeroizing;

pub use file::RingFile;
use file::{KEY_LENGTH, KeySet};
pub use purpose::KeyPurpose;

use crate::domain::cpr::CprNumber;
use crate::domain::mobile::MobileNumber;
use crate::domain::person::{AgentKey, MitidUuid, MobileKey, Person, PersonKey, PersonReference};
use crate::domain::pin::{Pin, PinVerifier};

/// Length of a sealed value's header: key id and nonce.
const SEAL_HEADER: usize = 4 + NONCE_LEN;

/// Keys by purpose. Has no `Debug`.
///
/// Keys are wiped when they are dropped: AWS-LC cleanses an HMAC's context (`HMAC_CTX_cleanup`) and everything that it frees
/// (`OPENSSL_free`), so an AEAD's too.
pub struct KeyRing {
    /// From 1 to the active one.
    pseudonym: Vec<hmac::Key>,
    verifier: Keys<hmac::Key>,
    sealing: Keys<RandomizedNonceKey>,
    audit: Keys<hmac::Key>,
    /// Something that only the same key makes, of each key.
    fingerprints: BTreeMap<(KeyPurpose, i32), [u8; 32]>,
}

/// The keys of one purpose, by id, and the id of the active one.
struct Keys<K> {
    keys: BTreeMap<i32, K>,
    active: i32,
}

/// A sealed value does not open: damaged, made for another purpose, or its key is not in the ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the sealed value does not open")]
pub struct OpenError;

/// Every pseudonym under which the rows of one person can stand: a person has one by the MitID UUID and one by the CPR
/// number, and each pseudonym key has made another one of each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonPseudonyms {
    /// Made by the active key: the pseudonyms of rows that `keys rekey` raises. The first is the one that new rows get.
    pub current: Vec<PersonKey>,
    /// Made by the active and by earlier keys: audit events keep the pseudonym that was current when they were written.
    pub ever: Vec<PersonKey>,
}

impl PersonPseudonyms {
    /// The pseudonym that new rows of the person get: by the MitID UUID if the person has an account, so that it stays the
    /// same when the CPR number changes.
    #[must_use]
    pub fn primary(&self) -> PersonKey {
        self.current[0]
    }
}

impl KeyRing {
    /// Reads the key ring from a file made by [`generate`].
    pub fn load(path: &Path) -> anyhow::Result<Self> {
        Self::new(&RingFile::load(path)?).with_context(|| file::invalid(path))
    }

    /// Reads the key ring from its file's text. Errors name the key, never its value.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        Self::new(&RingFile::parse(text)?)
    }

    fn new(file: &RingFile) -> anyhow::Result<Self> {
        let set = |purpose| {
            file.0.get(&purpose).with_context(|| {
                format!("{purpose}: needs at least one key: `temporary-pin keys add --ring FILE --purpose {purpose}`")
            })
        };
        let hmac_key = |bytes: &[u8; KEY_LENGTH]| Ok(hmac::Key::new(hmac::HMAC_SHA256, bytes));
        let pseudonym = set(KeyPurpose::Pseudonym)?;
        for (expected, id) in (1..).zip(pseudonym.keys.keys()) {
            ensure!(expected == *id, "pseudonym.{expected}: is missing; from 1 on every one is needed (docs/keys.md)");
        }
        let fingerprint = |key: &[u8; KEY_LENGTH]| {
            to_array(hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), b"fingerprint").as_ref())
        };
        let fingerprints = |(purpose, set): (&KeyPurpose, &KeySet)| -> Vec<_> {
            set.keys.iter().map(|(id, key)| ((*purpose, *id), fingerprint(key))).collect()
        };
        Ok(Self {
            pseudonym: pseudonym
                .keys
                .range(..=pseudonym.active)
                .map(|(_, key)| hmac_key(key))
                .collect::<Result<_, _>>()?,
            verifier: Keys::new(set(KeyPurpose::Verifier)?, hmac_key)?,
            sealing: Keys::new(set(KeyPurpose::Sealing)?, |bytes| {
                RandomizedNonceKey::new(&AES_256_GCM, bytes).context("sealing: not a key for AES-256-GCM")
            })?,
            audit: Keys::new(set(KeyPurpose::Audit)?, hmac_key)?,
            fingerprints: file.0.iter().flat_map(fingerprints).collect(),
        })
    }

    /// Whether this ring may take the place of one that serves: it can read and find all that the other has made.
    pub fn check_can_replace(&self, other: &Self) -> anyhow::Result<()> {
        for ((purpose, id), fingerprint) in &other.fingerprints {
            let ours = self.fingerprints.get(&(*purpose, *id));
            ensure!(ours.is_some(), "{purpose}.{id}: is missing; a key is taken out by a restart");
            ensure!(ours == Some(fingerprint), "{purpose}.{id}: is another key than the one that serves");
        }
        let (new, old) = (self.pseudonym_key_id(), other.pseudonym_key_id());
        ensure!(
            new == old,
            "pseudonym.active: is {new}, and {old} serves; stop the service to change it (docs/keys.md)"
        );
        Ok(())
    }

    /// The id of the pseudonym key that serves.
    #[must_use]
    pub fn pseudonym_key_id(&self) -> i32 {
        // The ids are 1, 2, 3…
        i32::try_from(self.pseudonym.len()).unwrap_or(i32::MAX)
    }

    /// A pseudonym, or a digest, that was made under the key `from`, as the active key makes it.
    #[must_use]
    pub fn rekey_pseudonym(&self, from: i32, pseudonym: [u8; 32]) -> [u8; 32] {
        let layers = self.pseudonym.iter().skip(usize::try_from(from).unwrap_or(0));
        layers.fold(pseudonym, |below, key| to_array(hmac::sign(key, &below).as_ref()))
    }

    /// The pseudonym of a person with MitID.
    #[must_use]
    pub fn person_key(&self, person: MitidUuid) -> PersonKey {
        PersonKey(self.pseudonym("person.mitid", person.0.as_bytes()))
    }

    /// The pseudonym of a person without MitID, or unknown to the register, by the CPR number.
    #[must_use]
    pub fn person_key_by_cpr(&self, person: &CprNumber) -> PersonKey {
        PersonKey(self.pseudonym("person.cpr", person.digits().as_bytes()))
    }

    /// Every pseudonym of one person. `reference`: how a caller named the person. `person`: what the register knows, if it
    /// knows the person. At least one of the two must be given, so that the result has a pseudonym.
    #[must_use]
    pub fn person_pseudonyms(&self, reference: Option<&PersonReference>, person: Option<&Person>) -> PersonPseudonyms {
        let account = person.and_then(|person| person.mitid_account.as_ref()).map(|account| account.mitid_uuid);
        let number = person.and_then(|person| person.cpr_number.as_ref());
        let mut all: Vec<Vec<PersonKey>> = Vec::new();
        all.extend(account.map(|uuid| self.person_keys_ever(uuid)));
        all.extend(reference.map(|reference| match reference {
            PersonReference::Cpr(number) => self.person_keys_ever_by_cpr(number),
            PersonReference::Mitid(uuid) => self.person_keys_ever(*uuid),
        }));
        all.extend(number.map(|number| self.person_keys_ever_by_cpr(number)));
        let mut seen = HashSet::new();
        all.retain(|pseudonyms| pseudonyms.first().is_some_and(|current| seen.insert(*current)));
        PersonPseudonyms {
            current: all.iter().filter_map(|pseudonyms| pseudonyms.first().copied()).collect(),
            ever: all.concat(),
        }
    }

    /// Every pseudonym that a person with MitID has had, the present one first: audit events stay under the key of their time.
    #[must_use]
    pub fn person_keys_ever(&self, person: MitidUuid) -> Vec<PersonKey> {
        self.ever("person.mitid", person.0.as_bytes())
    }

    /// The same of a person by the CPR number.
    #[must_use]
    pub fn person_keys_ever_by_cpr(&self, person: &CprNumber) -> Vec<PersonKey> {
        self.ever("person.cpr", person.digits().as_bytes())
    }

    /// The pseudonym of a mobile number.
    #[must_use]
    pub fn mobile_key(&self, number: &MobileNumber) -> MobileKey {
        MobileKey(self.pseudonym("mobile", number.e164().as_bytes()))
    }

    /// The pseudonym of an agent, by issuer and subject of the workforce login.
    #[must_use]
    pub fn agent_key(&self, issuer: &str, subject: &str) -> AgentKey {
        AgentKey(self.pseudonym("agent", format!("{issuer}\n{subject}").as_bytes()))
    }

    /// A keyed digest of anything else that is only ever compared: payloads of requests, nonces of logins.
    #[must_use]
    pub fn keyed_digest(&self, purpose: &str, value: &[u8]) -> [u8; 32] {
        self.pseudonym(purpose, value)
    }

    /// What to store of a PIN.
    pub fn make_pin_verifier(&self, pin_request: Uuid, pin: &Pin, rng: &mut impl Rng) -> PinVerifier {
        let mut salt = [0; 16];
        rng.fill_bytes(&mut salt);
        let (key_id, key) = self.verifier.active();
        let tag = hmac::sign(key, &verifier_input(&salt, pin_request, pin));
        PinVerifier { key_id, salt, mac: to_array(tag.as_ref()) }
    }

    /// Whether the PIN is the one that was issued, in constant time. A verifier of a removed key matches nothing.
    #[must_use]
    pub fn pin_matches(&self, pin_request: Uuid, pin: &Pin, verifier: &PinVerifier) -> bool {
        self.verifier.get(verifier.key_id).is_some_and(|key| {
            hmac::verify(key, &verifier_input(&verifier.salt, pin_request, pin), &verifier.mac).is_ok()
        })
    }

    /// Seals a value so that only this key ring opens it, and only with the same `context`.
    #[must_use]
    pub fn seal(&self, context: &[u8], value: &[u8]) -> Vec<u8> {
        let (key_id, key) = self.sealing.active();
        // With room for the tag: a body that moves would leave a copy behind.
        let mut body = Vec::with_capacity(value.len() + MAX_TAG_LEN);
        body.extend_from_slice(value);
        let nonce =
            key.seal_in_place_append_tag(Aad::from(context), &mut body).expect("AES-GCM seals values of this size");
        [key_id.to_be_bytes().as_slice(), nonce.as_ref(), &body].concat()
    }

    /// Opens a value sealed with the same `context`.
    pub fn open(&self, context: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, OpenError> {
        let (header, body) = sealed.split_at_checked(SEAL_HEADER).ok_or(OpenError)?;
        let (key_id, nonce) = header.split_first_chunk::<4>().ok_or(OpenError)?;
        let key = self.sealing.get(i32::from_be_bytes(*key_id)).ok_or(OpenError)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| OpenError)?;
        let mut body = Zeroizing::new(body.to_vec());
        let length = key.open_in_place(nonce, Aad::from(context), &mut body).map_err(|_| OpenError)?.len();
        body.truncate(length);
        Ok(body)
    }

    /// The MAC of what the audit seals, and the id of its key.
    #[must_use]
    pub fn audit_mac(&self, bytes: &[u8]) -> (i32, [u8; 32]) {
        let (key_id, key) = self.audit.active();
        (key_id, to_array(hmac::sign(key, bytes).as_ref()))
    }

    /// Whether the MAC is of these bytes, in constant time. One of a removed key matches nothing.
    #[must_use]
    pub fn audit_mac_matches(&self, key_id: i32, bytes: &[u8], mac: &[u8]) -> bool {
        self.audit.get(key_id).is_some_and(|key| hmac::verify(key, bytes, mac).is_ok())
    }

    fn pseudonym(&self, purpose: &str, value: &[u8]) -> [u8; 32] {
        self.rekey_pseudonym(1, self.first_pseudonym(purpose, value))
    }

    fn ever(&self, purpose: &str, value: &[u8]) -> Vec<PersonKey> {
        let first = PersonKey(self.first_pseudonym(purpose, value));
        let next = |below: &PersonKey, key| PersonKey(to_array(hmac::sign(key, &below.0).as_ref()));
        let mut all = vec![first];
        for key in self.pseudonym.iter().skip(1) {
            all.extend(all.last().map(|below| next(below, key)));
        }
        all.reverse();
        all
    }

    fn first_pseudonym(&self, purpose: &str, value: &[u8]) -> [u8; 32] {
        // The file's parser sees to it.
        let mut context = hmac::Context::with_key(self.pseudonym.first().expect("at least one key"));
        context.update(purpose.as_bytes());
        context.update(&[0]);
        context.update(value);
        to_array(context.sign().as_ref())
    }
}

impl<K> Keys<K> {
    fn new(set: &KeySet, make: impl Fn(&[u8; KEY_LENGTH]) -> anyhow::Result<K>) -> anyhow::Result<Self> {
        let keys = set.keys.iter().map(|(id, bytes)| Ok((*id, make(bytes)?))).collect::<anyhow::Result<_>>()?;
        Ok(Self { keys, active: set.active })
    }

    fn active(&self) -> (i32, &K) {
        // The file's parser sees to it.
        (self.active, self.get(self.active).expect("the active key is one of the keys"))
    }

    fn get(&self, id: i32) -> Option<&K> {
        self.keys.get(&id)
    }
}

/// The text of a new key ring with one key per purpose.
pub fn generate(rng: &mut impl Rng) -> Zeroizing<String> {
    RingFile::generate(rng).to_text()
}

fn verifier_input(salt: &[u8; 16], pin_request: Uuid, pin: &Pin) -> Zeroizing<Vec<u8>> {
    Zeroizing::new([salt, pin_request.as_bytes().as_slice(), pin.digits().as_bytes()].concat())
}

fn to_array(tag: &[u8]) -> [u8; 32] {
    let mut array = [0; 32];
    array.copy_from_slice(tag);
    array
}

#[cfg(test)]
mod tests;

//! The key ring: every secret key of the service, by purpose and id, from a file outside the database.
//!
//! The active key of a purpose makes new values; the others still open or check old ones. So a key can be handed to all
//! instances before any of them uses it. docs/keys.md says how.
//!
//! aws-lc wipes its own copies of keys when they are dropped (`HMAC_CTX_cleanup`, `EVP_AEAD_CTX_cleanup`).

mod file;

use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use arc_swap::ArcSwap;
use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::hmac;
use rand::Rng;
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::domain::cpr::CprNumber;
use crate::domain::mobile::MobileNumber;
use crate::domain::person::{AgentKey, MitidUuid, MobileKey, PersonKey};
use crate::domain::pin::{Pin, PinVerifier};

use self::file::Keys;
pub use self::file::{KeyFile, Purpose};

/// Length of a sealed value's header: key id and nonce.
const SEAL_HEADER: usize = 4 + NONCE_LEN;

/// Keys by purpose. Has no `Debug`.
pub struct KeyRing {
    pseudonym: Keys<hmac::Key>,
    verifier: Keys<hmac::Key>,
    sealing: Keys<RandomizedNonceKey>,
    audit: Keys<hmac::Key>,
}

/// The key ring as its file was when it was last right: read again while the process runs. Whatever an older one made, a
/// newer one reads, so a call may use both.
pub type CurrentKeyRing = Arc<ArcSwap<KeyRing>>;

/// A sealed value does not open: damaged, made for another purpose, or its key is not in the ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the sealed value does not open")]
pub struct OpenError;

impl KeyRing {
    /// Reads the key ring from its file.
    pub fn load(path: &Path) -> anyhow::Result<Self> {
        let text =
            std::fs::read_to_string(path).with_context(|| format!("cannot read the key ring {}", path.display()))?;
        Self::parse(&Zeroizing::new(text)).with_context(|| format!("the key ring {} is not valid", path.display()))
    }

    /// Reads the key ring from the text of its file. Errors name the key, never its value.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        let file = KeyFile::parse(text)?;
        Ok(Self {
            pseudonym: file.take(Purpose::Pseudonym, hmac_key)?,
            verifier: file.take(Purpose::Verifier, hmac_key)?,
            sealing: file.take(Purpose::Sealing, |bytes| {
                RandomizedNonceKey::new(&AES_256_GCM, bytes).context("not a key for AES-256-GCM")
            })?,
            audit: file.take(Purpose::Audit, hmac_key)?,
        })
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
    pub fn digest(&self, purpose: &str, value: &[u8]) -> [u8; 32] {
        self.pseudonym(purpose, value)
    }

    /// What to store of a PIN.
    pub fn pin_verifier(&self, pin_request: Uuid, pin: &Pin, rng: &mut impl Rng) -> PinVerifier {
        let mut salt = [0; 16];
        rng.fill_bytes(&mut salt);
        let tag = hmac::sign(self.verifier.active(), &verifier_input(&salt, pin_request, pin));
        PinVerifier { key_id: self.verifier.active, salt, mac: to_array(tag.as_ref()) }
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
        // Sealed in place: with room for the tag, the value is nowhere else.
        let mut body = Vec::with_capacity(value.len() + AES_256_GCM.tag_len());
        body.extend_from_slice(value);
        let nonce = self.sealing.active().seal_in_place_append_tag(Aad::from(context), &mut body);
        let nonce = nonce.expect("AES-GCM seals values of this size");
        [self.sealing.active.to_be_bytes().as_slice(), nonce.as_ref(), &body].concat()
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

    /// The MAC of a seal of the audit, and the id of its key.
    #[must_use]
    pub fn audit_mac(&self, value: &[u8]) -> (i32, [u8; 32]) {
        (self.audit.active, to_array(hmac::sign(self.audit.active(), value).as_ref()))
    }

    /// Whether that is the MAC of this value, in constant time. One of a removed key is none.
    #[must_use]
    pub fn audit_mac_matches(&self, key_id: i32, value: &[u8], mac: &[u8]) -> bool {
        self.audit.get(key_id).is_some_and(|key| hmac::verify(key, value, mac).is_ok())
    }

    /// Tells key rings apart whose pseudonyms differ. Kept in the database, so that no ring but its own writes there.
    #[must_use]
    pub fn pseudonym_check(&self) -> [u8; 32] {
        self.pseudonym("check", &[])
    }

    /// The pseudonyms that a person has had under this ring, the present one last: the audit keeps those of its time.
    #[must_use]
    pub fn person_keys(&self, person: MitidUuid) -> Vec<PersonKey> {
        self.pseudonyms("person.mitid", person.0.as_bytes()).map(PersonKey).collect()
    }

    /// The same for somebody without MitID, or unknown to the register.
    #[must_use]
    pub fn person_keys_by_cpr(&self, person: &CprNumber) -> Vec<PersonKey> {
        self.pseudonyms("person.cpr", person.digits().as_bytes()).map(PersonKey).collect()
    }

    /// The present pseudonym of whoever had that one while the key `id` was active.
    #[must_use]
    pub fn rekey(&self, id: i32, pseudonym: [u8; 32]) -> [u8; 32] {
        let later = self.pseudonym.by_id.range(..=self.pseudonym.active).filter(|(layer, _)| **layer > id);
        later.fold(pseudonym, |pseudonym, (_, key)| to_array(hmac::sign(key, &pseudonym).as_ref()))
    }

    /// The id of the key that makes pseudonyms, with those below it.
    #[must_use]
    pub fn pseudonym_key_id(&self) -> i32 {
        self.pseudonym.active
    }

    /// The pseudonym: the last layer.
    fn pseudonym(&self, purpose: &str, value: &[u8]) -> [u8; 32] {
        self.pseudonyms(purpose, value).last().expect("at least one key")
    }

    /// Layer by layer: the key with the lowest id makes a pseudonym of the value, and each further one, up to the active
    /// one, makes a pseudonym of that pseudonym. So rows can be brought under a new key without knowing whom they are of.
    fn pseudonyms(&self, purpose: &str, value: &[u8]) -> impl Iterator<Item = [u8; 32]> {
        let mut pseudonym: Option<[u8; 32]> = None;
        self.pseudonym.by_id.range(..=self.pseudonym.active).map(move |(_, key)| {
            let mut context = hmac::Context::with_key(key);
            match &pseudonym {
                None => {
                    context.update(purpose.as_bytes());
                    context.update(&[0]);
                    context.update(value);
                }
                Some(pseudonym) => context.update(pseudonym),
            }
            *pseudonym.insert(to_array(context.sign().as_ref()))
        })
    }
}

fn hmac_key(bytes: &[u8]) -> anyhow::Result<hmac::Key> {
    Ok(hmac::Key::new(hmac::HMAC_SHA256, bytes))
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

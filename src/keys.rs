//! The key ring: every secret key of the service, by purpose and id, from a file outside the database.
//!
//! The highest id of a purpose makes new values; the others still open or check old ones. A key is rotated by adding one
//! with a higher id. The pseudonym key is the exception: it names persons in every table, so only the highest serves.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, bail, ensure};
use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rand::Rng;
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::domain::cpr::CprNumber;
use crate::domain::mobile::MobileNumber;
use crate::domain::person::{AgentKey, MitidUuid, MobileKey, PersonKey};
use crate::domain::pin::{Pin, PinVerifier};

/// Length of every key, in bytes.
const KEY_LENGTH: usize = 32;

/// Length of a sealed value's header: key id and nonce.
const SEAL_HEADER: usize = 4 + NONCE_LEN;

/// Keys by purpose. Has no `Debug`.
pub struct KeyRing {
    pseudonym: hmac::Key,
    verifier: BTreeMap<i32, hmac::Key>,
    sealing: BTreeMap<i32, RandomizedNonceKey>,
}

/// A sealed value does not open: damaged, made for another purpose, or its key is not in the ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the sealed value does not open")]
pub struct OpenError;

impl KeyRing {
    /// Reads the key ring from a file made by [`generate`].
    pub fn load(path: &Path) -> anyhow::Result<Self> {
        let text =
            std::fs::read_to_string(path).with_context(|| format!("cannot read the key ring {}", path.display()))?;
        Self::parse(&Zeroizing::new(text)).with_context(|| format!("the key ring {} is not valid", path.display()))
    }

    /// Reads the key ring from its text: TOML, one table per purpose, key id to base64 of 32 bytes. Errors name the key,
    /// never its value.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        let mut file: toml::Table = text.parse().map_err(|error| syntax_error(text, &error))?;
        let ring = Self {
            pseudonym: keys(&mut file, "pseudonym", hmac_key)?.pop_last().context("pseudonym: needs a key")?.1,
            verifier: keys(&mut file, "verifier", hmac_key)?,
            sealing: keys(&mut file, "sealing", |bytes| {
                RandomizedNonceKey::new(&AES_256_GCM, bytes).context("not a key for AES-256-GCM")
            })?,
        };
        if let Some(purpose) = file.keys().next() {
            bail!("{purpose}: there is no such purpose; there are pseudonym, verifier and sealing");
        }
        Ok(ring)
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
        // `keys` refuses an empty purpose.
        let (key_id, key) = self.verifier.last_key_value().expect("at least one key");
        let tag = hmac::sign(key, &verifier_input(&salt, pin_request, pin));
        PinVerifier { key_id: *key_id, salt, mac: to_array(tag.as_ref()) }
    }

    /// Whether the PIN is the one that was issued, in constant time. A verifier of a removed key matches nothing.
    #[must_use]
    pub fn pin_matches(&self, pin_request: Uuid, pin: &Pin, verifier: &PinVerifier) -> bool {
        self.verifier.get(&verifier.key_id).is_some_and(|key| {
            hmac::verify(key, &verifier_input(&verifier.salt, pin_request, pin), &verifier.mac).is_ok()
        })
    }

    /// Seals a value so that only this key ring opens it, and only with the same `context`.
    #[must_use]
    pub fn seal(&self, context: &[u8], value: &[u8]) -> Vec<u8> {
        let (key_id, key) = self.sealing.last_key_value().expect("at least one key");
        let mut body = value.to_vec();
        let nonce =
            key.seal_in_place_append_tag(Aad::from(context), &mut body).expect("AES-GCM seals values of this size");
        [key_id.to_be_bytes().as_slice(), nonce.as_ref(), &body].concat()
    }

    /// Opens a value sealed with the same `context`.
    pub fn open(&self, context: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, OpenError> {
        let (header, body) = sealed.split_at_checked(SEAL_HEADER).ok_or(OpenError)?;
        let (key_id, nonce) = header.split_first_chunk::<4>().ok_or(OpenError)?;
        let key = self.sealing.get(&i32::from_be_bytes(*key_id)).ok_or(OpenError)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| OpenError)?;
        let mut body = Zeroizing::new(body.to_vec());
        let length = key.open_in_place(nonce, Aad::from(context), &mut body).map_err(|_| OpenError)?.len();
        body.truncate(length);
        Ok(body)
    }

    /// The MAC of a seal of the audit, and the id of its key.
    #[must_use]
    pub fn audit_mac(&self, value: &[u8]) -> (i32, [u8; 32]) {
        (1, self.pseudonym("audit", value))
    }

    /// Whether that is the MAC of the value under the key of that id.
    #[must_use]
    pub fn audit_mac_matches(&self, key_id: i32, value: &[u8], mac: &[u8]) -> bool {
        let input = ["audit".as_bytes(), &[0], value].concat();
        key_id == 1 && hmac::verify(&self.pseudonym, &input, mac).is_ok()
    }

    fn pseudonym(&self, purpose: &str, value: &[u8]) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.pseudonym);
        context.update(purpose.as_bytes());
        context.update(&[0]);
        context.update(value);
        to_array(context.sign().as_ref())
    }
}

/// The text of a new key ring with one key per purpose.
pub fn generate(rng: &mut impl Rng) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::from(
        "# Key ring of the temporary-PIN service. Secret: keep it out of the database, its backups and version control.\n\
         # Rotate verifier and sealing keys by adding one with a higher id. Remove the old one after two days, when nothing\n\
         # made with it is left. Restart all instances with the new ring at once: each must open what the others sealed.\n",
    ));
    for purpose in ["pseudonym", "verifier", "sealing"] {
        let mut key = Zeroizing::new([0; KEY_LENGTH]);
        rng.fill_bytes(&mut *key);
        text.push_str(&format!("\n[{purpose}]\n1 = \"{}\"\n", STANDARD.encode(*key)));
    }
    text
}

/// Takes the keys of one purpose out of the file; at least one is needed.
fn keys<K>(
    file: &mut toml::Table,
    purpose: &str,
    make: impl Fn(&[u8]) -> anyhow::Result<K>,
) -> anyhow::Result<BTreeMap<i32, K>> {
    let Some(toml::Value::Table(table)) = file.remove(purpose) else { bail!("{purpose}: needs at least one key") };
    ensure!(!table.is_empty(), "{purpose}: needs at least one key");
    let mut keys = BTreeMap::new();
    for (id, text) in table {
        // Not repeated: somebody may have taken the key for the id.
        let Ok(number) = id.parse() else { bail!("{purpose}: each key id must be a whole number") };
        let text = if let toml::Value::String(text) = text { Zeroizing::new(text) } else { Zeroizing::default() };
        let bytes = Zeroizing::new(STANDARD.decode(&*text).unwrap_or_default());
        ensure!(bytes.len() == KEY_LENGTH, "{purpose}.{id}: must be the base64 of {KEY_LENGTH} bytes");
        let key = make(&bytes).with_context(|| format!("{purpose}.{id}"))?;
        ensure!(keys.insert(number, key).is_none(), "{purpose}.{id}: the key id is given twice");
    }
    Ok(keys)
}

/// The parser's own words may quote the line, and with it a key.
fn syntax_error(text: &str, error: &toml::de::Error) -> anyhow::Error {
    let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
    anyhow::anyhow!("line {}: not valid TOML", before.matches('\n').count() + 1)
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

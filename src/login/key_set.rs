//! The public keys of an issuer (JSON Web Key Set, RFC 7517).

use std::collections::HashMap;

use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, KeyOperations, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;
use serde_json::Value;

/// A public key and the only algorithm that it may be used with.
#[derive(Clone)]
pub(super) struct Key {
    pub(super) key: DecodingKey,
    pub(super) algorithm: Algorithm,
}

/// Public keys by their id (`kid`). An issuer may publish several keys of one id, for several algorithms.
pub(super) struct KeySet(HashMap<String, Vec<Key>>);

/// The document in which an issuer publishes its keys.
#[derive(Deserialize)]
struct Document {
    keys: Vec<Value>,
}

impl KeySet {
    /// Parses the keys that can check the signature of our tokens. Other keys in the document (encryption, unknown types) are
    /// skipped.
    pub(super) fn parse(document: &[u8]) -> Result<Self, serde_json::Error> {
        let document: Document = serde_json::from_slice(document)?;
        let mut keys: HashMap<String, Vec<Key>> = HashMap::new();
        for (id, key) in document.keys.into_iter().filter_map(read_key) {
            keys.entry(id).or_default().push(key);
        }
        Ok(Self(keys))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The keys with that id. `None` if there is none.
    pub(super) fn find(&self, kid: &str) -> Option<&[Key]> {
        self.0.get(kid).map(Vec::as_slice)
    }
}

/// The id and the key, if the key can check signatures.
fn read_key(value: Value) -> Option<(String, Key)> {
    let jwk: Jwk = serde_json::from_value(value).ok()?;
    let is_for_signatures =
        jwk.common.public_key_use.as_ref().is_none_or(|key_use| *key_use == PublicKeyUse::Signature)
            && jwk.common.key_operations.as_ref().is_none_or(|operations| operations.contains(&KeyOperations::Verify));
    if !is_for_signatures {
        return None;
    }
    let algorithm = choose_algorithm(&jwk)?;
    let key = DecodingKey::from_jwk(&jwk).ok()?;
    Some((jwk.common.key_id?, Key { key, algorithm }))
}

/// The algorithm that the key names, if it is one of ours and fits the type of the key. A key without a name gets RS256 or
/// ES256, depending on its type.
fn choose_algorithm(jwk: &Jwk) -> Option<Algorithm> {
    match (&jwk.algorithm, jwk.common.key_algorithm) {
        (AlgorithmParameters::RSA(_), Some(KeyAlgorithm::RS256) | None) => Some(Algorithm::RS256),
        (AlgorithmParameters::RSA(_), Some(KeyAlgorithm::PS256)) => Some(Algorithm::PS256),
        (AlgorithmParameters::EllipticCurve(key), Some(KeyAlgorithm::ES256) | None)
            if key.curve == EllipticCurve::P256 =>
        {
            Some(Algorithm::ES256)
        }
        _ => None,
    }
}

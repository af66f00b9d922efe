//! The verifier of a PIN: what the database stores of it (R3).

use aws_lc_rs::hmac;
use rand::Rng;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::{KeyRing, to_array};
use crate::domain::pin::{Pin, PinVerifier};

impl KeyRing {
    /// Makes the verifier of a PIN, with a new salt from `rng`. It matches this PIN request only.
    pub fn make_pin_verifier(&self, pin_request: Uuid, pin: &Pin, rng: &mut impl Rng) -> PinVerifier {
        let mut salt = [0; 16];
        rng.fill_bytes(&mut salt);
        let (key_id, key) = self.verifier.active();
        let tag = hmac::sign(key, &mac_input(&salt, pin_request, pin));
        PinVerifier { key_id, salt, mac: to_array(tag.as_ref()) }
    }

    /// Whether the verifier was made of this PIN and PIN request, in constant time. `false` if its key is not in the ring.
    #[must_use]
    pub fn pin_matches(&self, pin_request: Uuid, pin: &Pin, verifier: &PinVerifier) -> bool {
        self.verifier
            .get(verifier.key_id)
            .is_some_and(|key| hmac::verify(key, &mac_input(&verifier.salt, pin_request, pin), &verifier.mac).is_ok())
    }
}

/// The bytes that the MAC covers. Each part has a fixed length, so they need no separators.
fn mac_input(salt: &[u8; 16], pin_request: Uuid, pin: &Pin) -> Zeroizing<Vec<u8>> {
    Zeroizing::new([salt, pin_request.as_bytes().as_slice(), pin.digits().as_bytes()].concat())
}

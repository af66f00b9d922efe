//! Verifiers of PINs (R3).

use super::*;
use crate::domain::pin::PinVerifier;

#[test]
fn r3_a_pin_matches_its_own_verifier_only() {
    let ring = ring(&[1]);
    let verifier = ring.make_pin_verifier(REQUEST, &pin("01234567"), &mut random::secure());
    assert!(ring.pin_matches(REQUEST, &pin("01234567"), &verifier));
    assert!(!ring.pin_matches(REQUEST, &pin("01234568"), &verifier));
    assert!(!ring.pin_matches(OTHER_REQUEST, &pin("01234567"), &verifier));
    let other_salt = PinVerifier { salt: [7; 16], ..verifier.clone() };
    assert!(!ring.pin_matches(REQUEST, &pin("01234567"), &other_salt));
    let other_mac = PinVerifier { mac: [7; 32], ..verifier };
    assert!(!ring.pin_matches(REQUEST, &pin("01234567"), &other_mac));
}

#[test]
fn equal_pins_have_different_verifiers() {
    let ring = ring(&[1]);
    let first = ring.make_pin_verifier(REQUEST, &pin("00000000"), &mut random::secure());
    let second = ring.make_pin_verifier(REQUEST, &pin("00000000"), &mut random::secure());
    assert_ne!((first.salt, first.mac), (second.salt, second.mac));
}

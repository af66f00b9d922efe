//! The key ring opens and checks what it has made, and no other ring does.

mod file;
mod pin_verifier;
mod pseudonym;
mod rotation;
mod seal;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use uuid::Uuid;

use super::*;
use crate::domain::pin::Pin;
use crate::random;

const REQUEST: Uuid = Uuid::from_u128(1);
const OTHER_REQUEST: Uuid = Uuid::from_u128(2);

/// The text of a new key ring file, and the ring.
fn generated() -> (Zeroizing<String>, KeyRing) {
    let text = generate(&mut random::secure());
    let ring = KeyRing::parse(&text).unwrap();
    (text, ring)
}

/// A key whose bytes are all `byte`, as the file has it.
fn key(byte: u8) -> String {
    STANDARD.encode([byte; KEY_LENGTH])
}

/// A ring whose verifier, sealing and audit keys have these ids. The bytes of each key are all its id.
fn ring(ids: &[u8]) -> KeyRing {
    let keys: String = ids.iter().map(|id| format!("{id} = \"{}\"\n", key(*id))).collect();
    let text = format!("[pseudonym]\n1 = \"{}\"\n[verifier]\n{keys}[sealing]\n{keys}[audit]\n{keys}", key(0));
    KeyRing::parse(&text).unwrap()
}

fn pin(digits: &str) -> Pin {
    Pin::parse(digits).unwrap()
}

//! The key ring's text, and values sealed with it.

use std::sync::LazyLock;

use temporary_pin::domain::pin::Pin;
use temporary_pin::keys::{self, KeyRing, RingFile};
use temporary_pin::random;
use uuid::Uuid;

use super::text;

/// The ring for sealed values.
static RING: LazyLock<KeyRing> =
    LazyLock::new(|| KeyRing::parse(&keys::generate(&mut random::secure())).expect("a ring that was just made"));

/// A rejection does not show a key. An accepted ring works.
pub fn key_ring(data: &[u8]) -> bool {
    let Some(text) = text(data) else { return false };
    match KeyRing::parse(text) {
        Ok(ring) => {
            let sealed = ring.seal(b"context", data);
            assert!(ring.open(b"context", &sealed).expect("opens what it sealed")[..] == *data);
            let (id, pin) = (Uuid::from_u128(7), Pin::parse("12345678").expect("a PIN"));
            let verifier = ring.make_pin_verifier(id, &pin, &mut random::secure());
            assert!(ring.pin_matches(id, &pin, &verifier));
            let written = RingFile::parse(text).expect("read before").to_text();
            assert!(*RingFile::parse(&written).expect("reads what it wrote").to_text() == *written);
            true
        }
        Err(error) => {
            let told = format!("{error:#} {error:?}");
            match text.parse::<toml::Table>() {
                Ok(table) => values(&toml::Value::Table(table), &mut |value| {
                    assert!(value.len() < 24 || !told.contains(value), "shows a value");
                }),
                Err(_) => assert!(error.to_string().ends_with(": not valid TOML"), "{told}"),
            }
            false
        }
    }
}

/// Visits every text value.
pub(super) fn values(value: &toml::Value, look: &mut impl FnMut(&str)) {
    match value {
        toml::Value::String(text) => look(text),
        toml::Value::Array(values) => values.iter().for_each(|value| self::values(value, look)),
        toml::Value::Table(table) => table.values().for_each(|value| values(value, look)),
        _ => {}
    }
}

/// No input opens as a sealed value. A value that the ring sealed opens only in its context, and not after a bit was changed.
pub fn sealed(data: &[u8]) -> bool {
    assert!(RING.open(b"context", data).is_err(), "opens a value that was never sealed");
    let mut sealed = RING.seal(b"context", data);
    assert!(RING.open(b"context", &sealed).expect("opens what it sealed")[..] == *data);
    assert!(RING.open(b"another", &sealed).is_err(), "opens in another context");
    assert!(RING.open(data, &sealed).is_err() || data == b"context");
    let sum: usize = data.iter().map(|byte| usize::from(*byte)).sum();
    let place = sum % (sealed.len() * 8);
    sealed[place / 8] ^= 1 << (place % 8);
    assert!(RING.open(b"context", &sealed).is_err(), "opens with a changed bit");
    true
}

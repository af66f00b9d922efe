//! Sealed values.

use proptest::prelude::*;

use super::*;

proptest! {
    #[test]
    fn a_sealed_value_opens_with_the_same_context_only(value: Vec<u8>, context: Vec<u8>, other: Vec<u8>) {
        let ring = ring(&[1]);
        let sealed = ring.seal(&context, &value);
        prop_assert_eq!(&ring.open(&context, &sealed).unwrap()[..], &value);
        if other != context {
            prop_assert_eq!(ring.open(&other, &sealed), Err(OpenError));
        }
    }

    #[test]
    fn arbitrary_bytes_are_refused(bytes: Vec<u8>) {
        prop_assert_eq!(ring(&[1]).open(b"", &bytes), Err(OpenError));
    }
}

#[test]
fn one_value_sealed_twice_has_only_the_key_id_in_common() {
    let ring = ring(&[1]);
    let (first, second) = (ring.seal(b"context", b"12345678"), ring.seal(b"context", b"12345678"));
    assert_ne!(first[4..], second[4..]);
    assert!(!first.windows(8).any(|window| window == b"12345678"));
}

#[test]
fn a_sealed_value_opens_whole_and_unchanged_or_not_at_all() {
    let ring = ring(&[1]);
    let sealed = ring.seal(b"context", b"12345678");
    for length in 0..sealed.len() {
        assert_eq!(ring.open(b"context", &sealed[..length]), Err(OpenError), "cut to {length}");
    }
    for position in 0..sealed.len() {
        let mut damaged = sealed.clone();
        damaged[position] ^= 1;
        assert_eq!(ring.open(b"context", &damaged), Err(OpenError), "changed at {position}");
    }
    assert_eq!(ring.open(b"context", &[sealed.as_slice(), &[0]].concat()), Err(OpenError));
}

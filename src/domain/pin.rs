//! The temporary PIN (R1).

use std::fmt;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use rand::{Rng, RngExt as _};
use zeroize::Zeroizing;

/// Eight decimal digits, leading zeros kept. Masked in `Debug`, wiped when dropped.
#[derive(Clone, Eq, zeroize::ZeroizeOnDrop)]
pub struct Pin(String);

/// What is stored of a PIN: a salted MAC under a key that the database does not hold (NIST 800-63B 3.1.1.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PinVerifier {
    /// Which key of the ring made it.
    pub key_id: i32,
    /// Random per PIN.
    pub salt: [u8; 16],
    /// HMAC-SHA-256 over salt, PIN request id and PIN.
    pub mac: [u8; 32],
}

/// The text is no PIN.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be eight digits")]
pub struct PinError;

impl Pin {
    /// Draws a PIN, uniform over 00000000–99999999.
    pub fn draw(rng: &mut impl Rng) -> Self {
        Self(format!("{:08}", rng.random_range(0..100_000_000_u32)))
    }

    /// Parses a PIN as a person types it: spaces between digits are ignored.
    pub fn parse(text: &str) -> Result<Self, PinError> {
        // With room for all: a text that grows leaves copies behind.
        let mut digits = Zeroizing::new(String::with_capacity(text.len()));
        digits.extend(text.chars().filter(|character| *character != ' '));
        if digits.len() == 8 && digits.bytes().all(|byte| byte.is_ascii_digit()) {
            Ok(Self(std::mem::take(&mut digits)))
        } else {
            Err(PinError)
        }
    }

    /// The eight digits. For the verifier and the sealed SMS only.
    #[must_use]
    pub fn digits(&self) -> &str {
        &self.0
    }
}

/// In constant time.
impl PartialEq for Pin {
    fn eq(&self, other: &Self) -> bool {
        verify_slices_are_equal(self.0.as_bytes(), other.0.as_bytes()).is_ok()
    }
}

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pin(********)")
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::as_sent("12345678", Some("12345678"))]
    #[case::as_read("1234 5678", Some("12345678"))]
    #[case::leading_zeros("0000 0001", Some("00000001"))]
    #[case::seven("1234567", None)]
    #[case::nine("123456789", None)]
    #[case::letter("1234567a", None)]
    #[case::sign("+1234567", None)]
    #[case::other_digits("١٢٣٤", None)]
    #[case::empty("", None)]
    fn r1_eight_digits(#[case] text: &str, #[case] digits: Option<&str>) {
        assert_eq!(Pin::parse(text).as_ref().ok().map(Pin::digits), digits);
    }

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?}", Pin::parse("12345678").unwrap()), "Pin(********)");
    }
}

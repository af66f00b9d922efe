//! The temporary PIN (R1), and the figures of its life (R2, R3, R5).

use std::fmt;
use std::time::Duration;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use rand::{Rng, RngExt as _};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::time_spans::{MINUTE, REFUSAL_INTERVAL};

/// Digits of a PIN (R1).
const LENGTH: usize = 8;

/// How many different PINs there are.
const COMBINATIONS: u32 = 10_u32.pow(LENGTH as u32);

/// Figures of the PIN and how it is sent.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PinRules {
    /// R2: how long a PIN can be redeemed.
    #[serde(with = "humantime_serde")]
    pub lifetime: Duration,
    /// R3: how many wrong tries revoke a PIN.
    pub tries: u32,
    /// R5: shortest time between two sends of one PIN.
    #[serde(with = "humantime_serde")]
    pub resend_interval: Duration,
    /// R5: how often one PIN is sent at most, the first time included.
    pub sends: u32,
    /// A refused redemption is answered at a multiple of this time.
    #[serde(with = "humantime_serde")]
    pub refusal_interval: Duration,
}

impl Default for PinRules {
    fn default() -> Self {
        Self { lifetime: 10 * MINUTE, tries: 3, resend_interval: MINUTE, sends: 3, refusal_interval: REFUSAL_INTERVAL }
    }
}

/// A PIN: eight decimal digits, leading zeros included. Masked in `Debug`, wiped when dropped.
#[derive(Clone, Eq, zeroize::ZeroizeOnDrop)]
pub struct Pin(String);

/// What the database stores of a PIN: a salted MAC under a key that is not in the database (NIST SP 800-63B, 3.1.1.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PinVerifier {
    /// The id of the key in the key ring that made the MAC.
    pub key_id: i32,
    /// Random, and new for each PIN.
    pub salt: [u8; 16],
    /// HMAC-SHA-256 of salt, PIN request id and PIN.
    pub mac: [u8; 32],
}

/// The text is not a PIN.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be eight digits")]
pub struct PinError;

impl Pin {
    /// Draws a PIN from `rng`, uniformly from 00000000–99999999 (R1).
    pub fn draw(rng: &mut impl Rng) -> Self {
        Self(format!("{:0LENGTH$}", rng.random_range(0..COMBINATIONS)))
    }

    /// Parses a PIN as a person types it. Spaces are ignored.
    pub fn parse(text: &str) -> Result<Self, PinError> {
        // Full capacity from the start: a string that grows is moved, and leaves a copy of the PIN in memory.
        let mut digits = Zeroizing::new(String::with_capacity(text.len()));
        digits.extend(text.chars().filter(|character| *character != ' '));
        if digits.len() == LENGTH && digits.bytes().all(|byte| byte.is_ascii_digit()) {
            Ok(Self(std::mem::take(&mut digits)))
        } else {
            Err(PinError)
        }
    }

    /// The eight digits. Use them only for the verifier, the SMS, and the digest of a redemption request.
    #[must_use]
    pub fn digits(&self) -> &str {
        &self.0
    }
}

/// Compares in constant time.
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
    #[case::without_spaces("12345678", Some("12345678"))]
    #[case::grouped_as_in_the_sms("1234 5678", Some("12345678"))]
    #[case::leading_zeros("0000 0001", Some("00000001"))]
    #[case::seven("1234567", None)]
    #[case::nine("123456789", None)]
    #[case::letter("1234567a", None)]
    #[case::sign("+1234567", None)]
    #[case::arabic_digits_of_eight_bytes("١٢٣٤", None)]
    #[case::empty("", None)]
    fn r1_a_pin_has_eight_digits(#[case] text: &str, #[case] digits: Option<&str>) {
        assert_eq!(Pin::parse(text).as_ref().ok().map(Pin::digits), digits);
    }

    #[test]
    fn debug_does_not_show_the_pin() {
        assert_eq!(format!("{:?}", Pin::parse("12345678").unwrap()), "Pin(********)");
    }
}

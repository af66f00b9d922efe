//! The temporary PIN (R1).

use std::fmt;

use rand::{Rng, RngExt as _};

/// Eight decimal digits, leading zeros kept. Masked in `Debug`, wiped when dropped.
#[derive(Clone, PartialEq, Eq, zeroize::ZeroizeOnDrop)]
pub struct Pin(String);

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
        let digits: String = text.chars().filter(|character| *character != ' ').collect();
        if digits.len() == 8 && digits.bytes().all(|byte| byte.is_ascii_digit()) {
            Ok(Self(digits))
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

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pin(********)")
    }
}

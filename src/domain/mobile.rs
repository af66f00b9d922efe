//! Mobile numbers (R14).

use std::fmt;

/// A phone number in E.164 form (`+4512345678`). Masked in `Debug`, wiped when dropped.
#[derive(Clone, PartialEq, Eq, zeroize::ZeroizeOnDrop)]
pub struct MobileNumber(String);

/// The text is no phone number in E.164 form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a valid phone number in E.164 form, such as +4512345678")]
pub struct MobileNumberError;

impl MobileNumber {
    /// The number with its `+`. For sealing, pseudonyms and the gateway only.
    #[must_use]
    pub fn e164(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for MobileNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MobileNumber(****)")
    }
}

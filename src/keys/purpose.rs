//! What keys are for.

use std::fmt;

/// What a key is for. Each purpose has keys of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum KeyPurpose {
    /// Stands in for persons, mobile numbers and agents.
    Pseudonym,
    /// Checks PINs.
    Verifier,
    /// Seals messages and verification ids.
    Sealing,
    /// Seals the audit.
    Audit,
}

impl KeyPurpose {
    /// Every purpose, in the order of the file.
    pub const ALL: [Self; 4] = [Self::Pseudonym, Self::Verifier, Self::Sealing, Self::Audit];

    /// The name in the file and on the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pseudonym => "pseudonym",
            Self::Verifier => "verifier",
            Self::Sealing => "sealing",
            Self::Audit => "audit",
        }
    }

    /// The purpose of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|purpose| purpose.as_str() == name)
    }
}

impl fmt::Display for KeyPurpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

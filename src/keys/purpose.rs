//! The purposes of keys.

use std::fmt;

/// What a key is used for. No key serves two purposes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum KeyPurpose {
    /// Makes the pseudonyms of persons, mobile numbers and agents.
    Pseudonym,
    /// Makes the verifiers of PINs.
    Verifier,
    /// Seals messages, verification ids and page tokens.
    Sealing,
    /// Makes the MACs of the seals of the audit.
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

    /// The purpose with that name; the reverse of [`Self::as_str`].
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

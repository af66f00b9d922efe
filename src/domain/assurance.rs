//! Levels of assurance (NSIS 2.0.2a, the Danish standard for identities; R22, R23).

use serde::Deserialize;

/// How far an identity can be trusted. Ordered: `Low < Substantial < High`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub enum AssuranceLevel {
    /// "Lav" in NSIS.
    Low,
    /// "Betydelig" in NSIS.
    Substantial,
    /// "Høj" in NSIS.
    High,
}

impl AssuranceLevel {
    /// The name in database tables and in the configuration.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "Low",
            Self::Substantial => "Substantial",
            Self::High => "High",
        }
    }
}

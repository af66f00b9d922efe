//! Levels of assurance (NSIS 2.0.2a, the Danish standard for identities; R22, R23).

/// How far an identity can be trusted. Ordered: `Low < Substantial < High`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AssuranceLevel {
    /// "Lav" in NSIS.
    Low,
    /// "Betydelig" in NSIS.
    Substantial,
    /// "Høj" in NSIS.
    High,
}

impl AssuranceLevel {
    /// The name in database tables, and in the claim of an ID token.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "Low",
            Self::Substantial => "Substantial",
            Self::High => "High",
        }
    }

    /// Reads the level from a claim of an ID token: the name alone, or a URI whose last path segment is the name
    /// (`https://data.gov.dk/concept/core/nsis/Substantial`).
    #[must_use]
    pub fn from_claim(claim: &str) -> Option<Self> {
        let name = claim.rsplit('/').next().unwrap_or(claim);
        [Self::Low, Self::Substantial, Self::High].into_iter().find(|level| level.as_str() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_is_read_from_its_name_or_from_the_end_of_a_uri() {
        for (name, level) in
            [("Low", AssuranceLevel::Low), ("Substantial", AssuranceLevel::Substantial), ("High", AssuranceLevel::High)]
        {
            assert_eq!(level.as_str(), name);
            assert_eq!(AssuranceLevel::from_claim(name), Some(level));
            assert_eq!(
                AssuranceLevel::from_claim(&format!("https://data.gov.dk/concept/core/nsis/{name}")),
                Some(level)
            );
        }
        for other in ["", "high", "High/", "VeryHigh", "https://data.gov.dk/concept/core/nsis/"] {
            assert_eq!(AssuranceLevel::from_claim(other), None, "{other}");
        }
    }
}

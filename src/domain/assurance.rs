//! Levels of assurance (NSIS 2.0.2a).

/// How sure an identity is. Ordered: `Low < Substantial < High`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AssuranceLevel {
    /// Lav.
    Low,
    /// Betydelig.
    Substantial,
    /// Høj.
    High,
}

impl AssuranceLevel {
    /// The name used in tables and as the last path segment of an ID token's level claim.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "Low",
            Self::Substantial => "Substantial",
            Self::High => "High",
        }
    }

    /// The level of that name: a bare name, or a URI that ends in one
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
    fn a_level_is_known_by_its_name_alone_or_at_the_end_of_a_uri() {
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

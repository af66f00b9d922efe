//! The languages of the texts for persons (R24).

/// A language. Danish replaces a text that is missing in another language.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Language {
    #[default]
    Da,
    En,
    /// Greenlandic (Kalaallisut).
    Kl,
}

impl Language {
    pub const ALL: [Self; 3] = [Self::Da, Self::En, Self::Kl];

    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Da => "da",
            Self::En => "en",
            Self::Kl => "kl",
        }
    }

    /// The language with that ISO 639-1 code.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|language| language.code() == code)
    }
}

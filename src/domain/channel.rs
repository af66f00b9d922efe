//! The three ways to a temporary PIN.

/// Where a person was identified. A caller's certificate decides it, never a request field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// The profile page, where the person logs in.
    Web,
    /// MitID Support, through a support agent.
    Phone,
    /// Citizen Service, through a clerk.
    Counter,
}

impl Channel {
    /// All channels, in the order in which answers list them.
    pub const ALL: [Self; 3] = [Self::Web, Self::Phone, Self::Counter];

    /// The name used in tables, metrics and logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Web => "web",
            Self::Phone => "phone",
            Self::Counter => "counter",
        }
    }

    /// The channel of that name, the reverse of [`Self::as_str`].
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|channel| channel.as_str() == name)
    }
}

//! The three channels in which a person can get a temporary PIN.

/// Where a person is identified. The caller's client certificate decides the channel; no request field can choose it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// The MitID profile page, where the person logs in themself.
    Web,
    /// MitID Support: a support agent identifies the person on the phone.
    Phone,
    /// Citizen Service: a clerk identifies the person during a booked visit.
    Counter,
}

impl Channel {
    /// All channels, in the order in which responses list them.
    pub const ALL: [Self; 3] = [Self::Web, Self::Phone, Self::Counter];

    /// The name in database tables, metrics and logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Web => "web",
            Self::Phone => "phone",
            Self::Counter => "counter",
        }
    }

    /// The channel with that name; the reverse of [`Self::as_str`].
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|channel| channel.as_str() == name)
    }
}

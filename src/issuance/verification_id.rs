//! The verification id that callers hold: a sealed note of what IssueTemporaryPin must know before it asks Postgres.
//!
//! It is bound to its caller, cannot be made or read by anybody else, and saves the hot path a read. The truth about the
//! verification (state, expiry, what it served) is the row in Postgres.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::domain::channel::Channel;
use crate::domain::person::{AgentKey, MitidUuid, MobileKey};
use crate::domain::reason::Reason;
use crate::issuance::Refusal;
use crate::keys::KeyRing;

/// What the id says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct VerificationId {
    /// The row in `verifications`.
    pub verification: Uuid,
    /// The person.
    pub person: MitidUuid,
    /// The channel.
    pub channel: Channel,
    /// When the verification was made.
    pub create_time: DateTime<Utc>,
    /// The mobile number at that time: if it is another one now, the person must be verified again.
    pub mobile: MobileKey,
    /// The agent, on the phone and at the counter.
    pub agent: Option<AgentKey>,
}

impl VerificationId {
    /// The id as the caller gets it.
    pub(super) fn seal(&self, keys: &KeyRing, caller: &str) -> String {
        let mut note = Vec::with_capacity(128);
        note.extend_from_slice(self.verification.as_bytes());
        note.extend_from_slice(self.person.0.as_bytes());
        note.extend_from_slice(&self.create_time.timestamp_micros().to_be_bytes());
        note.extend_from_slice(&self.mobile.0);
        note.push(channel_code(self.channel));
        note.extend_from_slice(self.agent.as_ref().map_or(&[][..], |agent| &agent.0));
        URL_SAFE_NO_PAD.encode(keys.seal(&context(caller), &note))
    }

    /// Reads an id that this service gave to this caller, in this channel.
    pub(super) fn open(text: &str, keys: &KeyRing, caller: &str, channel: Channel) -> Result<Self, Refusal> {
        Self::parse(text, keys, caller)
            .filter(|id| id.channel == channel)
            .ok_or_else(|| Refusal::lasting(Reason::VerificationUnknown))
    }

    fn parse(text: &str, keys: &KeyRing, caller: &str) -> Option<Self> {
        let sealed = URL_SAFE_NO_PAD.decode(text).ok()?;
        let note = keys.open(&context(caller), &sealed).ok()?;
        let (verification, rest) = note.split_first_chunk::<16>()?;
        let (person, rest) = rest.split_first_chunk::<16>()?;
        let (create_time, rest) = rest.split_first_chunk::<8>()?;
        let (mobile, rest) = rest.split_first_chunk::<32>()?;
        let (channel, agent) = rest.split_first()?;
        Some(Self {
            verification: Uuid::from_bytes(*verification),
            person: MitidUuid(Uuid::from_bytes(*person)),
            channel: Channel::ALL.into_iter().find(|known| channel_code(*known) == *channel)?,
            create_time: DateTime::from_timestamp_micros(i64::from_be_bytes(*create_time))?,
            mobile: MobileKey(*mobile),
            agent: if agent.is_empty() { None } else { Some(AgentKey(agent.try_into().ok()?)) },
        })
    }
}

/// Binds the seal to its purpose and caller.
fn context(caller: &str) -> Vec<u8> {
    format!("verification_id\n{caller}").into_bytes()
}

const fn channel_code(channel: Channel) -> u8 {
    match channel {
        Channel::Web => 1,
        Channel::Phone => 2,
        Channel::Counter => 3,
    }
}

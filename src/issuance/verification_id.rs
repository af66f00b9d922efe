//! The verification id that callers get: a sealed record of what IssueTemporaryPin must know before it asks Postgres.
//!
//! The record saves the hot path a read. Only this service can make or read it, and it is valid for one caller. The row in
//! Postgres holds the truth about the verification: its state, its expiry, and the PIN request it was used for.
//!
//! The record contains pseudonyms, made with the pseudonym key that was active at that time. It names that key by id, except
//! for key 1, the first.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::domain::channel::Channel;
use crate::domain::person::{AgentKey, MitidUuid, MobileKey};
use crate::domain::reason::Reason;
use crate::issuance::Refusal;
use crate::keys::KeyRing;

/// The id of the first pseudonym key. A record without a key id was made with this key.
const FIRST_KEY_ID: i32 = 1;

/// No record is longer, in bytes.
const MAX_RECORD_LENGTH: usize = 128;

/// The content of a verification id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerificationId {
    /// The id of the row in `verifications`.
    pub verification: Uuid,
    /// The person.
    pub person: MitidUuid,
    /// The channel.
    pub channel: Channel,
    /// When the verification was made, to the microsecond.
    pub create_time: DateTime<Utc>,
    /// The mobile number at that time. If the person has another one now, the person must be verified again.
    pub mobile: MobileKey,
    /// The agent. Phone and counter only.
    pub agent: Option<AgentKey>,
}

impl VerificationId {
    /// The id for the caller, sealed.
    #[must_use]
    pub fn seal(&self, keys: &KeyRing, caller: &str) -> String {
        let mut record = Zeroizing::new(Vec::with_capacity(MAX_RECORD_LENGTH));
        record.extend_from_slice(self.verification.as_bytes());
        record.extend_from_slice(self.person.0.as_bytes());
        record.extend_from_slice(&self.create_time.timestamp_micros().to_be_bytes());
        record.extend_from_slice(&self.mobile.0);
        record.push(channel_code(self.channel));
        record.extend_from_slice(self.agent.as_ref().map_or(&[][..], |agent| &agent.0));
        let key_id = keys.pseudonym_key_id();
        if key_id > FIRST_KEY_ID {
            record.extend_from_slice(&key_id.to_be_bytes());
        }
        URL_SAFE_NO_PAD.encode(keys.seal(&seal_context(caller), &record))
    }

    /// Opens an id that this service gave to this caller in this channel. Any other text is `VERIFICATION_UNKNOWN`.
    pub fn open(text: &str, keys: &KeyRing, caller: &str, channel: Channel) -> Result<Self, Refusal> {
        Self::parse(text, keys, caller)
            .filter(|id| id.channel == channel)
            .ok_or_else(|| Refusal::lasting(Reason::VerificationUnknown))
    }

    fn parse(text: &str, keys: &KeyRing, caller: &str) -> Option<Self> {
        let sealed = URL_SAFE_NO_PAD.decode(text).ok()?;
        let record = keys.open(&seal_context(caller), &sealed).ok()?;
        let (verification, rest) = record.split_first_chunk::<16>()?;
        let (person, rest) = rest.split_first_chunk::<16>()?;
        let (create_time, rest) = rest.split_first_chunk::<8>()?;
        let (mobile, rest) = rest.split_first_chunk::<32>()?;
        let (channel, rest) = rest.split_first()?;
        // The rest: an agent of 32 bytes or none, then a key id of 4 bytes or none.
        let (agent, key_id) = match rest.len() {
            0 | 32 => (rest, FIRST_KEY_ID),
            _ => rest.split_last_chunk::<4>().map(|(agent, id)| (agent, i32::from_be_bytes(*id)))?,
        };
        Some(Self {
            verification: Uuid::from_bytes(*verification),
            person: MitidUuid(Uuid::from_bytes(*person)),
            channel: Channel::ALL.into_iter().find(|known| channel_code(*known) == *channel)?,
            create_time: DateTime::from_timestamp_micros(i64::from_be_bytes(*create_time))?,
            mobile: MobileKey(keys.rekey_pseudonym(key_id, *mobile)),
            agent: if agent.is_empty() {
                None
            } else {
                Some(AgentKey(keys.rekey_pseudonym(key_id, agent.try_into().ok()?)))
            },
        })
    }
}

/// Binds the seal to this purpose and this caller.
fn seal_context(caller: &str) -> Vec<u8> {
    format!("verification_id\n{caller}").into_bytes()
}

const fn channel_code(channel: Channel) -> u8 {
    match channel {
        Channel::Web => 1,
        Channel::Phone => 2,
        Channel::Counter => 3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::mobile::MobileNumber;
    use crate::keys::{KeyPurpose, RingFile};
    use crate::random;

    /// Seals with an older or the same key ring, and opens with each newer one.
    #[test]
    fn an_id_opens_under_a_newer_pseudonym_key() {
        let mut file = RingFile::generate(&mut random::secure());
        let mut rings = vec![KeyRing::parse(&file.to_text()).unwrap()];
        for _ in 0..2 {
            file.add(KeyPurpose::Pseudonym, true, &mut random::secure());
            rings.push(KeyRing::parse(&file.to_text()).unwrap());
        }
        let number = MobileNumber::parse("+4520123456").unwrap();
        let id = |keys: &KeyRing, agent: Option<&str>| VerificationId {
            verification: Uuid::from_u128(1),
            person: MitidUuid(Uuid::from_u128(2)),
            channel: Channel::Phone,
            create_time: DateTime::UNIX_EPOCH,
            mobile: keys.mobile_key(&number),
            agent: agent.map(|agent| keys.agent_key("issuer", agent)),
        };
        for (old, new) in [(0, 0), (0, 1), (0, 2), (1, 1), (1, 2)] {
            for agent in [None, Some("agent")] {
                let sealed = id(&rings[old], agent).seal(&rings[old], "phone");
                assert_eq!(VerificationId::parse(&sealed, &rings[new], "phone"), Some(id(&rings[new], agent)));
            }
        }
    }
}

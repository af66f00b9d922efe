//! The verification id that callers hold: a sealed note of what IssueTemporaryPin must know before it asks Postgres.
//!
//! It is bound to its caller, cannot be made or read by anybody else, and saves the hot path a read. The truth about the
//! verification (state, expiry, what it served) is the row in Postgres.
//!
//! The pseudonyms in it are under the key of its time. The key's id is written down unless it is 1, the first.

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

/// What the id says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerificationId {
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
    #[must_use]
    pub fn seal(&self, keys: &KeyRing, caller: &str) -> String {
        let mut note = Zeroizing::new(Vec::with_capacity(128));
        note.extend_from_slice(self.verification.as_bytes());
        note.extend_from_slice(self.person.0.as_bytes());
        note.extend_from_slice(&self.create_time.timestamp_micros().to_be_bytes());
        note.extend_from_slice(&self.mobile.0);
        note.push(channel_code(self.channel));
        note.extend_from_slice(self.agent.as_ref().map_or(&[][..], |agent| &agent.0));
        let key_id = keys.pseudonym_key_id();
        if key_id > 1 {
            note.extend_from_slice(&key_id.to_be_bytes());
        }
        URL_SAFE_NO_PAD.encode(keys.seal(&context(caller), &note))
    }

    /// Reads an id that this service gave to this caller, in this channel.
    pub fn open(text: &str, keys: &KeyRing, caller: &str, channel: Channel) -> Result<Self, Refusal> {
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
        let (channel, rest) = rest.split_first()?;
        let (agent, key_id) = match rest.len() {
            0 | 32 => (rest, 1),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::mobile::MobileNumber;
    use crate::keys::{KeyPurpose, RingFile};
    use crate::random;

    /// Before and after a change of the pseudonym key, each pair of rings on the same keys.
    #[test]
    fn an_id_serves_under_a_newer_pseudonym_key() {
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

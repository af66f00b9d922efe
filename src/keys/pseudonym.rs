//! Pseudonyms: keyed hashes that stand in storage for persons, mobile numbers and agents.
//!
//! Pseudonym keys are layers. The first key makes a pseudonym of an identifier; each further key makes a new pseudonym of the
//! pseudonym under the key before it, up to the active key. So the stored pseudonyms can be raised to a new key without the
//! identifiers, which the service does not store (docs/keys.md).

use std::collections::HashSet;

use aws_lc_rs::hmac;

use super::{KeyRing, to_array};
use crate::domain::cpr::CprNumber;
use crate::domain::mobile::MobileNumber;
use crate::domain::person::{AgentKey, MitidUuid, MobileKey, Person, PersonKey, PersonReference};

/// Every pseudonym under which rows of one person can be stored: the person has one by the MitID UUID and one by the CPR
/// number, and each pseudonym key has made its own of both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonPseudonyms {
    /// Under the active key; at least one. `keys rekey` brings every table but those of the audit under the active key.
    pub current: Vec<PersonKey>,
    /// Under the active key and every key before it. Audit events keep the pseudonym that was current when they were written.
    pub ever: Vec<PersonKey>,
}

impl PersonPseudonyms {
    /// The pseudonym for new rows of the person: by the MitID UUID if the person has an account, because the UUID stays the
    /// same when the CPR number changes.
    #[must_use]
    pub fn primary(&self) -> PersonKey {
        self.current[0]
    }
}

impl KeyRing {
    /// The id of the active pseudonym key.
    #[must_use]
    pub fn pseudonym_key_id(&self) -> i32 {
        // The ids are 1, 2, 3 …
        i32::try_from(self.pseudonym.len()).unwrap_or(i32::MAX)
    }

    /// Raises a pseudonym or a [`Self::keyed_digest`] that was made under the key with the id `from` to the active key.
    #[must_use]
    pub fn rekey_pseudonym(&self, from: i32, pseudonym: [u8; 32]) -> [u8; 32] {
        let layers = self.pseudonym.iter().skip(usize::try_from(from).unwrap_or(0));
        layers.fold(pseudonym, |below, key| to_array(hmac::sign(key, &below).as_ref()))
    }

    /// The current pseudonym of a person with MitID.
    #[must_use]
    pub fn person_key(&self, person: MitidUuid) -> PersonKey {
        PersonKey(self.pseudonym("person.mitid", person.0.as_bytes()))
    }

    /// The current pseudonym of a person by the CPR number: for persons without MitID and persons unknown to the register.
    #[must_use]
    pub fn person_key_by_cpr(&self, person: &CprNumber) -> PersonKey {
        PersonKey(self.pseudonym("person.cpr", person.digits().as_bytes()))
    }

    /// Every pseudonym of one person. `reference`: how a caller named the person. `person`: what the register knows of the
    /// person. At least one of the two must be given.
    #[must_use]
    pub fn person_pseudonyms(&self, reference: Option<&PersonReference>, person: Option<&Person>) -> PersonPseudonyms {
        let account = person.and_then(|person| person.mitid_account.as_ref());
        let number = person.and_then(|person| person.cpr_number.as_ref());
        let by_account = account.map(|account| self.person_keys_ever(account.mitid_uuid));
        let by_reference = reference.map(|reference| match reference {
            PersonReference::Cpr(number) => self.person_keys_ever_by_cpr(number),
            PersonReference::Mitid(uuid) => self.person_keys_ever(*uuid),
        });
        let by_number = number.map(|number| self.person_keys_ever_by_cpr(number));
        let mut pseudonyms = PersonPseudonyms { current: Vec::new(), ever: Vec::new() };
        let mut seen = HashSet::new();
        for ever in [by_account, by_reference, by_number].into_iter().flatten() {
            if let Some(current) = ever.first().filter(|current| seen.insert(**current)) {
                pseudonyms.current.push(*current);
                pseudonyms.ever.extend(ever);
            }
        }
        pseudonyms
    }

    /// The current pseudonym of a mobile number.
    #[must_use]
    pub fn mobile_key(&self, number: &MobileNumber) -> MobileKey {
        MobileKey(self.pseudonym("mobile", number.e164().as_bytes()))
    }

    /// The current pseudonym of an agent, who is identified by issuer and subject of the workforce login.
    #[must_use]
    pub fn agent_key(&self, issuer: &str, subject: &str) -> AgentKey {
        AgentKey(self.pseudonym("agent", format!("{issuer}\n{subject}").as_bytes()))
    }

    /// A keyed digest of another value that is only compared: the payload of a request, the nonce of a login. `purpose`
    /// separates values of different kinds.
    #[must_use]
    pub fn keyed_digest(&self, purpose: &str, value: &[u8]) -> [u8; 32] {
        self.pseudonym(purpose, value)
    }

    /// Every pseudonym of a person with MitID, under each key up to the active one; the current one first.
    fn person_keys_ever(&self, person: MitidUuid) -> Vec<PersonKey> {
        self.pseudonyms_ever("person.mitid", person.0.as_bytes())
    }

    /// Like [`Self::person_keys_ever`], by the CPR number.
    fn person_keys_ever_by_cpr(&self, person: &CprNumber) -> Vec<PersonKey> {
        self.pseudonyms_ever("person.cpr", person.digits().as_bytes())
    }

    fn pseudonym(&self, purpose: &str, value: &[u8]) -> [u8; 32] {
        self.rekey_pseudonym(1, self.first_pseudonym(purpose, value))
    }

    fn pseudonyms_ever(&self, purpose: &str, value: &[u8]) -> Vec<PersonKey> {
        let mut pseudonym = self.first_pseudonym(purpose, value);
        let mut ever = vec![PersonKey(pseudonym)];
        for key in self.pseudonym.iter().skip(1) {
            pseudonym = to_array(hmac::sign(key, &pseudonym).as_ref());
            ever.push(PersonKey(pseudonym));
        }
        ever.reverse();
        ever
    }

    /// The pseudonym under the first key: HMAC-SHA-256 of purpose, a zero byte and value. No purpose contains a zero byte, so
    /// no two pairs of purpose and value have the same input.
    fn first_pseudonym(&self, purpose: &str, value: &[u8]) -> [u8; 32] {
        // `RingFile::parse` checks it.
        let mut context = hmac::Context::with_key(self.pseudonym.first().expect("at least one key"));
        context.update(purpose.as_bytes());
        context.update(&[0]);
        context.update(value);
        to_array(context.sign().as_ref())
    }
}

//! Whether the person may get a PIN in the channel of the call.

use super::VerifyIdentity;
use crate::domain::eligibility::find_person_denials;
use crate::domain::person::{MitidUuid, MobileKey, Person};
use crate::domain::reason::{Denial, Reason};
use crate::issuance::Refusal;
use crate::store::operators::person_blocks;

/// A person who may get a PIN, and the mobile number that it would go to.
#[derive(Clone, Copy)]
pub(super) struct EligiblePerson {
    pub mitid_uuid: MitidUuid,
    pub mobile: MobileKey,
}

impl VerifyIdentity<'_> {
    /// Refuses a person who may not get a PIN in this channel now (R9, R10–R14).
    pub(super) async fn check_eligible(&self, person: &Person) -> Result<EligiblePerson, Refusal> {
        let mut denials = find_person_denials(person, self.call.channel, &self.rules.eligibility, self.call.now);
        denials.extend(self.find_block_denial(person).await?);
        match person.mitid_account.as_ref().zip(person.registered_mobile()) {
            Some((account, mobile)) if denials.is_empty() => {
                Ok(EligiblePerson { mitid_uuid: account.mitid_uuid, mobile: self.keys.mobile_key(&mobile.number) })
            }
            _ => Err(Refusal::Precondition(denials)),
        }
    }

    /// The denial of a person whom an operator has blocked (R9).
    pub(super) async fn find_block_denial(&self, person: &Person) -> Result<Option<Denial>, Refusal> {
        let pseudonyms = self.keys.person_pseudonyms(None, Some(person)).current;
        let block = person_blocks::find_block(self.store, &pseudonyms).await?;
        Ok(block.map(|_| Denial::lasting(Reason::PersonBlocked)))
    }
}

//! Finds the person that an operation is about.

use super::OperatorDesk;
use crate::domain::person::{Person, PersonKey, PersonReference, RegisteredMobile};
use crate::issuance::Refusal;
use crate::keys::PersonPseudonyms;
use crate::register::RegisterUnavailable;

/// The person that an operation is about.
pub(super) struct PersonOnFile {
    pub pseudonyms: PersonPseudonyms,
    /// The answer of the register.
    pub registered: Result<Option<Person>, RegisterUnavailable>,
}

impl PersonOnFile {
    /// The pseudonym under which PINs are issued and events are recorded.
    pub(super) fn key(&self) -> PersonKey {
        self.pseudonyms.primary()
    }

    /// The person and the registered mobile number. `None` also if the register did not answer.
    pub(super) fn recipient(&self) -> Option<(&Person, &RegisteredMobile)> {
        let person = self.registered.as_ref().ok()?.as_ref()?;
        Some((person, person.registered_mobile()?))
    }
}

impl OperatorDesk<'_> {
    /// Finds the person. A person whom the register does not know is found by the identifier given. A person named by MitID
    /// UUID is found even while the register is down, because rows are kept under the pseudonym of the UUID.
    pub(super) async fn find_person(&self, reference: &PersonReference) -> Result<PersonOnFile, Refusal> {
        let registered = self.register.look_up_person(reference).await;
        let person = match (&registered, reference) {
            (Err(unavailable), PersonReference::Cpr(_)) => return Err((*unavailable).into()),
            (Err(_), PersonReference::Mitid(_)) => None,
            (Ok(person), _) => person.as_ref(),
        };
        let pseudonyms = self.keys.person_pseudonyms(Some(reference), person);
        Ok(PersonOnFile { pseudonyms, registered })
    }
}

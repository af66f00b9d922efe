//! Operators' work: look into a person's case, end what must end, put limits right (R9). All of it is audited.

mod act;
mod limits;
mod look_up;

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::{Issuance, Refusal};
use crate::domain::audit::Action;
use crate::domain::person::{Person, PersonKey, PersonReference, RegisteredMobile};
use crate::domain::stated_reason::StatedReason;
use crate::register::RegisterUnavailable;
use crate::store::audit::audit_events::{self, Actor, NewAuditEvent};

pub use act::{Blocking, Notified};
pub use limits::LimitStatus;
pub use look_up::AuditPage;

/// One call of an operator: who, why, when.
#[derive(Clone, Debug)]
pub struct Operation {
    /// Name of the caller: the operator's identity.
    pub operator: Arc<str>,
    /// Why.
    pub reason: StatedReason,
    /// The time of the call, read once.
    pub now: DateTime<Utc>,
}

/// Whom an operation is about.
struct Subject {
    /// Every pseudonym that is known of the person; the first is the one that PINs are issued to and events stand under.
    keys: Vec<PersonKey>,
    /// Those under earlier pseudonym keys too: audit events stay under the key of their time.
    audited: Vec<PersonKey>,
    /// What the register says of the person.
    registered: Result<Option<Person>, RegisterUnavailable>,
}

impl Subject {
    fn key(&self) -> PersonKey {
        self.keys[0]
    }

    /// The mobile number on file, with the person; `None` also when the register does not answer.
    fn recipient(&self) -> Option<(&Person, &RegisteredMobile)> {
        let person = self.registered.as_ref().ok()?.as_ref()?;
        Some((person, person.registered_mobile()?))
    }
}

impl Issuance {
    /// Finds out whom a reference means. Somebody whom the register does not know is known here by the identifier given.
    /// So is, while the register is down, somebody named by MitID UUID: what they have stands under that.
    async fn subject(&self, reference: &PersonReference) -> Result<Subject, Refusal> {
        let registered = self.register.look_up_person(reference).await;
        let person = match (&registered, reference) {
            (Err(unavailable), PersonReference::Cpr(_)) => return Err((*unavailable).into()),
            (Err(_), PersonReference::Mitid(_)) => None,
            (Ok(person), _) => person.as_ref(),
        };
        let (given, mut audited) = match reference {
            PersonReference::Cpr(number) => {
                (Some(self.keys.person_key_by_cpr(number)), self.keys.person_keys_ever_by_cpr(number))
            }
            PersonReference::Mitid(uuid) => (None, self.keys.person_keys_ever(*uuid)),
        };
        if let Some(person) = person {
            let account = person.mitid_account.as_ref();
            audited.extend(account.into_iter().flat_map(|account| self.keys.person_keys_ever(account.mitid_uuid)));
            let number = person.cpr_number.as_ref();
            audited.extend(number.into_iter().flat_map(|number| self.keys.person_keys_ever_by_cpr(number)));
        }
        let mut keys = vec![self.person_key(reference, person)];
        for key in person.map(|person| self.person_keys(person)).into_iter().flatten().chain(given) {
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
        Ok(Subject { keys, audited, registered })
    }

    /// Keeps that an operator looked.
    async fn record_look_up(&self, operation: &Operation, person: PersonKey, action: Action) -> Result<(), Refusal> {
        Ok(audit_events::record(&self.store, &operation.event(person, action)).await?)
    }
}

impl Operation {
    fn event(&self, person: PersonKey, action: Action) -> NewAuditEvent<'_> {
        NewAuditEvent {
            now: self.now,
            person,
            action,
            actor: Actor::Operator(&self.operator),
            reason: self.reason.as_str(),
            about: None,
        }
    }
}

//! Look-ups: each is on record before it answers.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use uuid::Uuid;

use super::{Issuance, Operation, Subject};
use crate::domain::audit::Action;
use crate::domain::person::{PersonKey, PersonReference};
use crate::issuance::{AccessRequestRecord, AuditEvent, Block, PinRequestRecord, Refusal};
use crate::store::audit::audit_events;
use crate::store::operators::{access_request_records, person_blocks, pin_request_records};

/// Most PIN requests or requests for access that one answer lists: with the longest reasons they fit into a message.
const MOST: i64 = 50;

/// One page of a person's audit events.
#[derive(Clone, Debug)]
pub struct AuditPage {
    /// The events, the latest first.
    pub events: Vec<AuditEvent>,
    /// What to ask the next page with; empty on the last.
    pub next: String,
}

impl Issuance {
    /// The person's PIN requests, the latest first.
    pub async fn list_pin_requests(
        &self,
        operation: &Operation,
        person: &PersonReference,
    ) -> Result<Vec<PinRequestRecord>, Refusal> {
        let subject = self.look_up(operation, person, Action::PinRequestsLookedUp).await?;
        Ok(pin_request_records::list(&self.store, &subject.keys, MOST, operation.now).await?)
    }

    /// One PIN request. When there is none, nobody's data were processed and nothing is on record.
    pub async fn get_pin_request(&self, operation: &Operation, id: Uuid) -> Result<Option<PinRequestRecord>, Refusal> {
        self.admit_caller(&operation.operator, operation.now).await?;
        let record = pin_request_records::get(&self.store, id, operation.now).await?;
        if let Some(record) = &record {
            self.record_look_up(operation, record.person, Action::PinRequestsLookedUp).await?;
        }
        Ok(record)
    }

    /// The person's requests for access, the latest first.
    pub async fn list_access_requests(
        &self,
        operation: &Operation,
        person: &PersonReference,
    ) -> Result<Vec<AccessRequestRecord>, Refusal> {
        let subject = self.look_up(operation, person, Action::AccessRequestsLookedUp).await?;
        Ok(access_request_records::list(&self.store, &subject.keys, MOST, operation.now).await?)
    }

    /// The person's block, if there is one.
    pub async fn get_person_block(
        &self,
        operation: &Operation,
        person: &PersonReference,
    ) -> Result<Option<Block>, Refusal> {
        let subject = self.look_up(operation, person, Action::BlockLookedUp).await?;
        Ok(person_blocks::find_block(&self.store, &subject.keys).await?)
    }

    /// One page of what has been done about the person, the latest first. `page_token` is what the page before said; empty
    /// on the first.
    pub async fn list_audit_events(
        &self,
        operation: &Operation,
        person: &PersonReference,
        page_size: usize,
        page_token: &str,
    ) -> Result<AuditPage, Refusal> {
        self.admit_caller(&operation.operator, operation.now).await?;
        let subject = self.subject(person).await?;
        let before = self.open_page_token(page_token, subject.key())?;
        self.record_look_up(operation, subject.key(), Action::AuditEventsLookedUp).await?;
        // One more tells whether there is another page.
        let mut events = audit_events::list(&self.store, &subject.audited, before, page_size + 1).await?;
        let is_last = events.len() <= page_size;
        events.truncate(page_size);
        let next = events.last().filter(|_| !is_last).map(|event| self.page_token(event.id, subject.key()));
        Ok(AuditPage { events, next: next.unwrap_or_default() })
    }

    /// What each look-up at a person begins with: it is counted, the person is found, and it is put on record.
    async fn look_up(
        &self,
        operation: &Operation,
        person: &PersonReference,
        action: Action,
    ) -> Result<Subject, Refusal> {
        self.admit_caller(&operation.operator, operation.now).await?;
        let subject = self.subject(person).await?;
        self.record_look_up(operation, subject.key(), action).await?;
        Ok(subject)
    }

    /// Sealed, as it tells how many events there are of everybody; serves for this person alone.
    fn page_token(&self, event: i64, person: PersonKey) -> String {
        URL_SAFE_NO_PAD.encode(self.keys.seal(&page_context(person), &event.to_be_bytes()))
    }

    /// The event that the next page lies before; `None` on the first page.
    fn open_page_token(&self, token: &str, person: PersonKey) -> Result<Option<i64>, Refusal> {
        if token.is_empty() {
            return Ok(None);
        }
        let sealed = URL_SAFE_NO_PAD.decode(token).ok();
        let event = sealed.and_then(|sealed| self.keys.open(&page_context(person), &sealed).ok());
        let event = event.and_then(|event| Some(i64::from_be_bytes(event.as_slice().try_into().ok()?)));
        let malformed = || Refusal::field("page_token", "must be next_page_token of an answer about the same person");
        event.map(Some).ok_or_else(malformed)
    }
}

fn page_context(person: PersonKey) -> Vec<u8> {
    [b"audit page".as_slice(), &person.0].concat()
}

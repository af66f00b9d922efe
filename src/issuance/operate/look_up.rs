//! Look-ups: each is recorded in the audit before it is answered.

use uuid::Uuid;

use super::OperatorDesk;
use super::page_token::{open_page_token, seal_page_token};
use super::person_on_file::PersonOnFile;
use crate::domain::audit::Action;
use crate::domain::person::PersonReference;
use crate::issuance::{AccessRequestRecord, AuditEvent, PersonBlock, PinRequestRecord, Refusal};
use crate::store::audit::audit_events;
use crate::store::operators::{access_request_records, person_blocks, pin_request_records};

/// The most PIN requests or access requests in one answer. With the longest reasons they fit into one message.
const MAX_LISTED_RECORDS: i64 = 50;

/// One page of a person's audit events.
#[derive(Clone, Debug)]
pub struct AuditPage {
    /// The events, the latest first.
    pub events: Vec<AuditEvent>,
    /// The token for the next page. Empty on the last page.
    pub next: String,
}

impl OperatorDesk<'_> {
    /// The person's PIN requests, the latest first.
    pub async fn list_pin_requests(&self, person: &PersonReference) -> Result<Vec<PinRequestRecord>, Refusal> {
        let person = self.look_up(person, Action::PinRequestsLookedUp).await?;
        let (keys, now) = (&person.pseudonyms.current, self.operation.now);
        Ok(pin_request_records::list(self.store, keys, MAX_LISTED_RECORDS, now).await?)
    }

    /// One PIN request. If there is none, no personal data were processed and nothing is recorded.
    pub async fn get_pin_request(&self, id: Uuid) -> Result<Option<PinRequestRecord>, Refusal> {
        self.spend_call().await?;
        let record = pin_request_records::get(self.store, id, self.operation.now).await?;
        if let Some(record) = &record {
            self.record_look_up(record.person, Action::PinRequestsLookedUp).await?;
        }
        Ok(record)
    }

    /// The person's access requests, the latest first.
    pub async fn list_access_requests(&self, person: &PersonReference) -> Result<Vec<AccessRequestRecord>, Refusal> {
        let person = self.look_up(person, Action::AccessRequestsLookedUp).await?;
        let (keys, now) = (&person.pseudonyms.current, self.operation.now);
        Ok(access_request_records::list(self.store, keys, MAX_LISTED_RECORDS, now).await?)
    }

    /// The person's block, if there is one.
    pub async fn get_person_block(&self, person: &PersonReference) -> Result<Option<PersonBlock>, Refusal> {
        let person = self.look_up(person, Action::BlockLookedUp).await?;
        Ok(person_blocks::find_block(self.store, &person.pseudonyms.current).await?)
    }

    /// One page of the person's audit events, the latest first. `page_token` is that of the page before. It is empty for the
    /// first page.
    pub async fn list_audit_events(
        &self,
        person: &PersonReference,
        page_size: usize,
        page_token: &str,
    ) -> Result<AuditPage, Refusal> {
        self.spend_call().await?;
        let person = self.find_person(person).await?;
        let before = open_page_token(self.keys, page_token, person.key())?;
        self.record_look_up(person.key(), Action::AuditEventsLookedUp).await?;
        // One event more than the page holds tells whether there is another page. Audit events keep the pseudonym that was
        // current when they were recorded.
        let mut events = audit_events::list(self.store, &person.pseudonyms.ever, before, page_size + 1).await?;
        let is_last = events.len() <= page_size;
        events.truncate(page_size);
        let last = events.last().filter(|_| !is_last);
        let next = last.map(|event| seal_page_token(self.keys, event.id, person.key()));
        Ok(AuditPage { events, next: next.unwrap_or_default() })
    }

    /// The start of each look-up: spends the operator's call, finds the person, and records the look-up.
    async fn look_up(&self, person: &PersonReference, action: Action) -> Result<PersonOnFile, Refusal> {
        self.spend_call().await?;
        let person = self.find_person(person).await?;
        self.record_look_up(person.key(), action).await?;
        Ok(person)
    }
}

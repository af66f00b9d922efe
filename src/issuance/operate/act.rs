//! Acts: revoke, cancel, block, unblock. What takes something away needs neither Redis nor, by MitID UUID, the register:
//! it must work in an incident.

use std::time::Duration;

use super::{Issuance, Operation, Subject};
use crate::deadline;
use crate::domain::person::{PersonKey, PersonReference};
use crate::issuance::{Refusal, language_of};
use crate::random;
use crate::sms::sealed_message::seal_message;
use crate::store::audit::audit_events::Actor;
use crate::store::messages::outbox::{MessageKind, Notice};
use crate::store::operators::person_blocks::{BlockNotices, BlockOrder, block_person, unblock_person};
use crate::store::withdrawal::{self, Withdrawal};
use crate::texts::SmsText;

/// How long the network may try to deliver what the person is told.
const NOTICE_LIFETIME: Duration = Duration::from_secs(24 * 3600);

/// What became of the SMS about something that was ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notified {
    /// It is on its way.
    Queued,
    /// There was no number to send it to.
    NotSent,
}

/// What blocking did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Blocking {
    /// Whether the block is new.
    pub is_new: bool,
    /// The SMS about what the block ended; `None` when it ended nothing.
    pub notified: Option<Notified>,
}

impl Issuance {
    /// Revokes the open PIN; `None`: there was none.
    pub async fn revoke_temporary_pin(
        &self,
        operation: &Operation,
        person: &PersonReference,
    ) -> Result<Option<Notified>, Refusal> {
        let subject = self.subject(person).await?;
        let notice = self.notice(operation, &subject, MessageKind::PinRevoked, &SmsText::PinRevoked);
        let revoked =
            withdrawal::revoke_temporary_pin(&self.store, &operation.withdrawal(subject.key(), notice.as_ref()))
                .await?;
        Ok(self.notified(revoked, notice.as_ref()))
    }

    /// Cancels the open request for access; `None`: there was none.
    pub async fn cancel_access_request(
        &self,
        operation: &Operation,
        person: &PersonReference,
    ) -> Result<Option<Notified>, Refusal> {
        let subject = self.subject(person).await?;
        let notice = self.notice(operation, &subject, MessageKind::AccessCancelled, &SmsText::AccessCancelled);
        let cancelled =
            withdrawal::cancel_access_request(&self.store, &operation.withdrawal(subject.key(), notice.as_ref()))
                .await?;
        self.forget_hold(subject.key()).await;
        Ok(self.notified(cancelled, notice.as_ref()))
    }

    /// Blocks the person from PINs; ends the open PIN and the open request for access.
    pub async fn block_person(&self, operation: &Operation, person: &PersonReference) -> Result<Blocking, Refusal> {
        let subject = self.subject(person).await?;
        let pin_revoked = self.notice(operation, &subject, MessageKind::PinRevoked, &SmsText::PinRevoked);
        let access_cancelled =
            self.notice(operation, &subject, MessageKind::AccessCancelled, &SmsText::AccessCancelled);
        let notices = BlockNotices { pin_revoked: pin_revoked.as_ref(), access_cancelled: access_cancelled.as_ref() };
        let blocked = block_person(&self.store, &operation.block_order(&subject), notices).await?;
        self.forget_hold(subject.key()).await;
        let has_ended = blocked.pin_revoked || blocked.access_cancelled;
        Ok(Blocking { is_new: blocked.is_new, notified: self.notified(has_ended, pin_revoked.as_ref()) })
    }

    /// Ends the block. Says whether there was one.
    pub async fn unblock_person(&self, operation: &Operation, person: &PersonReference) -> Result<bool, Refusal> {
        self.admit_caller(&operation.operator, operation.now).await?;
        let subject = self.subject(person).await?;
        Ok(unblock_person(&self.store, &operation.block_order(&subject)).await?)
    }

    /// What the person is told, where there is a number to tell it to (R14).
    fn notice(
        &self,
        operation: &Operation,
        subject: &Subject,
        kind: MessageKind,
        text: &SmsText<'_>,
    ) -> Option<Notice> {
        let (person, mobile) = subject.recipient()?;
        if !mobile.number.is_allowed(&self.rules.eligibility.destinations) {
            return None;
        }
        let id = random::time_ordered_uuid(operation.now, &mut random::secure());
        let text = self.texts.render_sms(text, language_of(None, person), &mobile.number);
        let sealed_body = seal_message(&self.keys, id, &mobile.number, &text);
        Some(Notice { id, kind, sealed_body, due_time: operation.now, expire_time: operation.now + NOTICE_LIFETIME })
    }

    fn notified(&self, has_ended: bool, notice: Option<&Notice>) -> Option<Notified> {
        if !has_ended {
            return None;
        }
        self.wake.notify_one();
        Some(if notice.is_some() { Notified::Queued } else { Notified::NotSent })
    }

    /// Postgres has decided; a hold that Redis still has gets no PIN.
    async fn forget_hold(&self, person: PersonKey) {
        if let Err(error) = deadline::without_deadline(self.guard.forget_hold(person)).await {
            tracing::warn!(%error, "a hold was not forgotten in Redis");
        }
    }
}

impl Operation {
    fn withdrawal<'a>(&'a self, person: PersonKey, notice: Option<&'a Notice>) -> Withdrawal<'a> {
        let (actor, reason) = (Actor::Operator(&self.operator), self.reason.as_str());
        Withdrawal { person, actor, reason, notice, now: self.now }
    }

    fn block_order<'a>(&'a self, subject: &'a Subject) -> BlockOrder<'a> {
        let (operator, reason) = (&*self.operator, self.reason.as_str());
        BlockOrder { keys: &subject.keys, operator, reason, now: self.now }
    }
}

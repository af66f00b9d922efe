//! Acts: revoke, cancel, block, unblock. Acts that take something away need no Redis, and no register if the person is
//! named by MitID UUID: they must work during an incident.

use super::OperatorDesk;
use super::person_on_file::PersonOnFile;
use crate::deadline;
use crate::domain::person::{PersonKey, PersonReference};
use crate::issuance::Refusal;
use crate::issuance::sms_composer::{NOTICE_LIFETIME, choose_language};
use crate::random;
use crate::store::audit::audit_events::Actor;
use crate::store::messages::{MessageKind, Notice};
use crate::store::operators::person_blocks::{self, BlockNotices, BlockOrder};
use crate::store::withdrawal::{self, Withdrawal};
use crate::texts::SmsText;

/// What became of the SMS about something that was ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notified {
    /// It is in the outbox.
    Queued,
    /// There was no number to send it to.
    NotSent,
}

/// What blocking did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Blocking {
    /// `false`: the person was blocked already.
    pub is_new: bool,
    /// The SMS about what the block ended. `None`: the block ended nothing.
    pub notified: Option<Notified>,
}

impl OperatorDesk<'_> {
    /// Revokes the open PIN. `None`: there was none.
    pub async fn revoke_temporary_pin(&self, person: &PersonReference) -> Result<Option<Notified>, Refusal> {
        let person = self.find_person(person).await?;
        let notice = self.write_notice(&person, MessageKind::PinRevoked, &SmsText::PinRevoked);
        let withdrawal = self.withdrawal(person.key(), notice.as_ref());
        let is_revoked = withdrawal::revoke_temporary_pin(self.store, &withdrawal).await?;
        Ok(self.notify(is_revoked, notice.as_ref()))
    }

    /// Cancels the open access request. `None`: there was none.
    pub async fn cancel_access_request(&self, person: &PersonReference) -> Result<Option<Notified>, Refusal> {
        let person = self.find_person(person).await?;
        let notice = self.write_notice(&person, MessageKind::AccessCancelled, &SmsText::AccessCancelled);
        let withdrawal = self.withdrawal(person.key(), notice.as_ref());
        let is_cancelled = withdrawal::cancel_access_request(self.store, &withdrawal).await?;
        self.forget_hold(person.key()).await;
        Ok(self.notify(is_cancelled, notice.as_ref()))
    }

    /// Blocks the person from PINs, and ends the open PIN and the open access request.
    pub async fn block_person(&self, person: &PersonReference) -> Result<Blocking, Refusal> {
        let person = self.find_person(person).await?;
        let pin_revoked = self.write_notice(&person, MessageKind::PinRevoked, &SmsText::PinRevoked);
        let access_cancelled = self.write_notice(&person, MessageKind::AccessCancelled, &SmsText::AccessCancelled);
        let notices = BlockNotices { pin_revoked: pin_revoked.as_ref(), access_cancelled: access_cancelled.as_ref() };
        let blocked = person_blocks::block_person(self.store, &self.block_order(&person), notices).await?;
        self.forget_hold(person.key()).await;
        let has_ended = blocked.pin_revoked || blocked.access_cancelled;
        Ok(Blocking { is_new: blocked.is_new, notified: self.notify(has_ended, pin_revoked.as_ref()) })
    }

    /// Ends the block. `false`: there was none.
    pub async fn unblock_person(&self, person: &PersonReference) -> Result<bool, Refusal> {
        self.spend_call().await?;
        let person = self.find_person(person).await?;
        Ok(person_blocks::unblock_person(self.store, &self.block_order(&person)).await?)
    }

    /// The SMS to the person. `None`: there is no number that it may go to (R14).
    fn write_notice(&self, person: &PersonOnFile, kind: MessageKind, text: &SmsText<'_>) -> Option<Notice> {
        let (person, mobile) = person.recipient()?;
        if !mobile.number.is_allowed(&self.rules.eligibility.destinations) {
            return None;
        }
        let now = self.operation.now;
        let id = random::time_ordered_uuid(now, &mut random::secure());
        let sealed_body = self.sms_composer.compose(id, text, choose_language(None, person), &mobile.number);
        Some(Notice { id, kind, sealed_body, due_time: now, expire_time: now + NOTICE_LIFETIME })
    }

    /// Wakes the dispatcher if something was ended.
    fn notify(&self, has_ended: bool, notice: Option<&Notice>) -> Option<Notified> {
        if !has_ended {
            return None;
        }
        self.dispatcher_wake.notify_one();
        Some(if notice.is_some() { Notified::Queued } else { Notified::NotSent })
    }

    /// A failure is only logged: Postgres has decided, so a hold that is still in Redis gets no PIN.
    async fn forget_hold(&self, person: PersonKey) {
        if let Err(error) = deadline::without_deadline(self.guard.forget_hold(person)).await {
            tracing::warn!(%error, "a hold was not forgotten in Redis");
        }
    }

    fn withdrawal<'w>(&'w self, person: PersonKey, notice: Option<&'w Notice>) -> Withdrawal<'w> {
        let (actor, reason) = (Actor::Operator(&self.operation.operator), self.operation.reason.as_str());
        Withdrawal { person, actor, reason, notice, now: self.operation.now }
    }

    fn block_order<'w>(&'w self, person: &'w PersonOnFile) -> BlockOrder<'w> {
        let (operator, reason) = (&*self.operation.operator, self.operation.reason.as_str());
        BlockOrder { keys: &person.pseudonyms.current, operator, reason, now: self.operation.now }
    }
}

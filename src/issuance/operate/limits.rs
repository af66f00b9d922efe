//! A person's limits: what is spent, and a fresh start (R4, R18, R25).

use super::{Issuance, Operation, Subject};
use crate::deadline;
use crate::domain::audit::Action;
use crate::domain::person::{MobileKey, PersonKey, PersonReference};
use crate::domain::person_limit::{LimitUsage, PersonLimit};
use crate::domain::reason::Reason;
use crate::guard::Bucket;
use crate::issuance::Refusal;
use crate::store::operators::person_limits;

/// What is spent of one limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LimitStatus {
    /// The limit.
    pub limit: PersonLimit,
    /// What is spent.
    pub spent: LimitUsage,
    /// How much there is to spend.
    pub of: u32,
}

impl Issuance {
    /// What the person has spent of each limit.
    pub async fn list_limits(
        &self,
        operation: &Operation,
        person: &PersonReference,
    ) -> Result<Vec<LimitStatus>, Refusal> {
        self.admit_caller(&operation.operator, operation.now).await?;
        let subject = self.subject(person).await?;
        let mobile = self.mobile(&subject)?;
        self.record_look_up(operation, subject.key(), Action::LimitsLookedUp).await?;
        let mut all = Vec::new();
        for limit in PersonLimit::ALL {
            if let Some(counted) = counted(limit, subject.key(), mobile) {
                all.push(self.status(operation, limit, counted).await?);
            }
        }
        Ok(all)
    }

    /// Lets a limit start afresh: in Postgres first, which is the truth, then in Redis. A repeat does the same again.
    pub async fn reset_limit(
        &self,
        operation: &Operation,
        person: &PersonReference,
        limit: PersonLimit,
    ) -> Result<LimitStatus, Refusal> {
        self.admit_caller(&operation.operator, operation.now).await?;
        let subject = self.subject(person).await?;
        let mobile = if limit == PersonLimit::MobilePins { self.mobile(&subject)? } else { None };
        let counted = counted(limit, subject.key(), mobile).ok_or_else(|| Refusal::lasting(Reason::NoMobileNumber))?;
        let event = operation.event(subject.key(), Action::LimitReset);
        person_limits::reset_limit(&self.store, limit, counted.subject, &event).await?;
        // The second half of what has begun, whatever the time.
        deadline::without_deadline(self.guard.reset(counted.bucket)).await?;
        self.status(operation, limit, counted).await
    }

    /// Redis and Postgres both count, and the stricter of them decides what the person may do.
    async fn status(
        &self,
        operation: &Operation,
        limit: PersonLimit,
        counted: Counted,
    ) -> Result<LimitStatus, Refusal> {
        let figures = limit.configured_limit(&self.rules.limits);
        let in_redis = self.guard.spent(counted.bucket, figures, operation.now).await?;
        let in_rows = person_limits::read_spent(&self.store, limit, figures, counted.subject, operation.now).await?;
        Ok(LimitStatus { limit, spent: in_redis.stricter_of(in_rows), of: figures.times })
    }

    /// The person's present number. That the register does not answer is no answer here.
    fn mobile(&self, subject: &Subject) -> Result<Option<MobileKey>, Refusal> {
        subject.registered.as_ref().map_err(|unavailable| Refusal::from(*unavailable))?;
        Ok(subject.recipient().map(|(_, mobile)| self.keys.mobile_key(&mobile.number)))
    }
}

/// Where a limit is counted.
#[derive(Clone, Copy)]
struct Counted {
    /// In Redis.
    bucket: Bucket<'static>,
    /// In Postgres: the rows of this pseudonym.
    subject: [u8; 32],
}

/// `None` without a number whose PINs could be counted.
fn counted(limit: PersonLimit, person: PersonKey, mobile: Option<MobileKey>) -> Option<Counted> {
    let of_person = |bucket| Some(Counted { bucket, subject: person.0 });
    match limit {
        PersonLimit::WrongTries => of_person(Bucket::WrongTries(person)),
        PersonLimit::FailedVerifications => of_person(Bucket::FailedVerifications(person)),
        PersonLimit::PersonPins => of_person(Bucket::PersonPins(person)),
        PersonLimit::MobilePins => {
            mobile.map(|mobile| Counted { bucket: Bucket::MobilePins(mobile), subject: mobile.0 })
        }
    }
}

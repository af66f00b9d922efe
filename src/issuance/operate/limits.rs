//! A person's limits: what is spent, and a reset (R4, R18, R25).

use super::OperatorDesk;
use super::person_on_file::PersonOnFile;
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
    /// What is spent, and when the person may spend again.
    pub spent: LimitUsage,
    /// How much can be spent in one window.
    pub of: u32,
}

/// Where a limit is counted.
#[derive(Clone, Copy)]
struct LimitCounters {
    /// In Redis.
    bucket: Bucket<'static>,
    /// In Postgres: the rows of this pseudonym.
    pseudonym: [u8; 32],
}

impl OperatorDesk<'_> {
    /// What the person has spent of each limit.
    pub async fn list_limits(&self, person: &PersonReference) -> Result<Vec<LimitStatus>, Refusal> {
        self.spend_call().await?;
        let person = self.find_person(person).await?;
        let mobile = self.find_mobile(&person)?;
        self.record_look_up(person.key(), Action::LimitsLookedUp).await?;
        let mut all = Vec::new();
        for limit in PersonLimit::ALL {
            if let Some(counters) = counters_of(limit, person.key(), mobile) {
                all.push(self.read_status(limit, counters).await?);
            }
        }
        Ok(all)
    }

    /// Resets a limit, so that nothing of it is spent: in Postgres first, which is the truth, then in Redis. Failed
    /// verifications are reset in all channels, and the questions that they asked are forgotten (R16). Repeating
    /// the call is safe.
    pub async fn reset_limit(&self, person: &PersonReference, limit: PersonLimit) -> Result<LimitStatus, Refusal> {
        self.spend_call().await?;
        let person = self.find_person(person).await?;
        let mobile = if limit == PersonLimit::MobilePins { self.find_mobile(&person)? } else { None };
        let all: Vec<(PersonLimit, LimitCounters)> = limit
            .reset_together()
            .filter_map(|limit| Some((limit, counters_of(limit, person.key(), mobile)?)))
            .collect();
        let (_, first) = all.first().ok_or_else(|| Refusal::lasting(Reason::NoMobileNumber))?;
        let event = self.audit_event(person.key(), Action::LimitReset);
        person_limits::reset_limit(self.store, limit, first.pseudonym, &event).await?;
        let mut fullest: Option<LimitStatus> = None;
        for (limit, counters) in all {
            // Without a deadline, so that the two counts do not differ for long.
            deadline::without_deadline(self.guard.reset(counters.bucket)).await?;
            let status = self.read_status(limit, counters).await?;
            if fullest.is_none_or(|other| other.spent.times < status.spent.times) {
                fullest = Some(status);
            }
        }
        fullest.ok_or_else(|| Refusal::lasting(Reason::NoMobileNumber))
    }

    /// Redis and Postgres both count, and the stricter count decides what the person may do.
    async fn read_status(&self, limit: PersonLimit, counters: LimitCounters) -> Result<LimitStatus, Refusal> {
        let configured = limit.configured_limit(&self.rules.limits);
        let now = self.operation.now;
        let in_redis = self.guard.spent(counters.bucket, configured, now).await?;
        let in_postgres = person_limits::read_usage(self.store, limit, configured, counters.pseudonym, now).await?;
        Ok(LimitStatus { limit, spent: in_redis.stricter_of(in_postgres), of: configured.times })
    }

    /// The pseudonym of the person's registered mobile number. Fails if the register did not answer.
    fn find_mobile(&self, person: &PersonOnFile) -> Result<Option<MobileKey>, Refusal> {
        person.registered.as_ref().map_err(|unavailable| Refusal::from(*unavailable))?;
        Ok(person.recipient().map(|(_, mobile)| self.keys.mobile_key(&mobile.number)))
    }
}

/// Returns `None` for the limit of PINs to a mobile number if the person has no number.
fn counters_of(limit: PersonLimit, person: PersonKey, mobile: Option<MobileKey>) -> Option<LimitCounters> {
    let of_person = |bucket| Some(LimitCounters { bucket, pseudonym: person.0 });
    match limit {
        PersonLimit::WrongTries => of_person(Bucket::WrongTries(person)),
        PersonLimit::FailedVerifications(channel) => of_person(Bucket::FailedVerifications(person, channel)),
        PersonLimit::PersonPins => of_person(Bucket::PersonPins(person)),
        PersonLimit::MobilePins => {
            mobile.map(|mobile| LimitCounters { bucket: Bucket::MobilePins(mobile), pseudonym: mobile.0 })
        }
    }
}

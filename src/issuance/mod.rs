//! The use cases, one file each. They ask the guard, the registers and the store, and apply the rules of `domain`.

mod check_eligibility;
mod issue_temporary_pin;
mod operate;
mod redeem_temporary_pin;
mod refusal;
mod response_padding;
pub mod verification_id;
mod verify_identity;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use rand::Rng;
use sqlx::PgPool;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::domain::channel::Channel;
use crate::domain::language::Language;
use crate::domain::person::{MitidUuid, Person, PersonKey, PersonReference};
use crate::domain::reason::{Denial, Reason};
use crate::domain::rules::{Limit, Rules};
use crate::guard::{Bucket, Guard, GuardDecision, Spend};
use crate::keys::KeyRing;
use crate::login::IdTokenVerifier;
use crate::register::Register;
use crate::store::eligibility::PersonStatusReader;
use crate::store::issuing::PinIssuer;
use crate::store::operators::person_blocks;
use crate::store::verifying::verifications::VerificationLimits;
use crate::telemetry::metrics::Metrics;
use crate::texts::Texts;

pub use crate::store::audit::audit_events::AuditEvent;
pub use crate::store::issuing::{DispatchState, PinRequestView, PinState};
pub use crate::store::operators::access_request_records::{AccessRequestRecord, AccessState};
pub use crate::store::operators::person_blocks::Block;
pub use crate::store::operators::pin_request_records::PinRequestRecord;
pub use crate::store::redeeming::RedeemOutcome;
pub use check_eligibility::{ChannelEligibility, Eligibility};
pub use issue_temporary_pin::IssueOrder;
pub use operate::{AuditPage, Blocking, LimitStatus, Notified, Operation};
pub use redeem_temporary_pin::RedeemOrder;
pub use refusal::{Dependency, Refusal};
pub use verify_identity::{Answers, Confirmation, CounterIdentification, Evidence, PhoneIdentification, Verification};

/// What the use cases work with. Cheap to clone.
#[derive(Clone)]
pub struct Issuance {
    /// Postgres.
    pub store: PgPool,
    /// Where orders for PINs meet.
    pub pin_issuer: PinIssuer,
    /// Where questions about persons meet.
    pub person_status: PersonStatusReader,
    /// Redis.
    pub guard: Guard,
    /// The identity register.
    pub register: Register,
    /// ID tokens of persons.
    pub web_login: Arc<IdTokenVerifier>,
    /// ID tokens of agents.
    pub agent_login: Arc<IdTokenVerifier>,
    /// The key ring: one and the same from beginning to end of a call.
    pub keys: Arc<KeyRing>,
    /// What persons read.
    pub texts: Arc<Texts>,
    /// The figures of the rules.
    pub rules: Arc<Rules>,
    /// What questions are drawn with.
    pub question_draws: Arc<QuestionDraws>,
    /// What is counted.
    pub metrics: Metrics,
    /// Wakes the dispatcher when there is an SMS to send.
    pub wake: Arc<Notify>,
}

/// Gives each draw of questions (R16) its randomness, by the person who is asked. Questions alone: PINs, keys, nonces and ids
/// come from [`secure`](crate::random::secure) whatever stands here.
pub type QuestionDraws = dyn Fn(MitidUuid) -> Box<dyn Rng> + Send + Sync;

/// One call of a channel: who, through which channel, when.
#[derive(Clone, Debug)]
pub struct CallContext {
    /// Name of the caller.
    pub caller: Arc<str>,
    /// Its channel.
    pub channel: Channel,
    /// The time of the call, read once.
    pub now: DateTime<Utc>,
    /// Cancelled when nobody waits for the answer any more.
    pub gone: CancellationToken,
}

impl Issuance {
    /// The pseudonym of a person: by MitID UUID where there is an account, so that it survives a new CPR number.
    fn person_key(&self, reference: &PersonReference, person: Option<&Person>) -> PersonKey {
        match (person.and_then(|person| person.mitid_account.as_ref()), reference) {
            (Some(account), _) => self.keys.person_key(account.mitid_uuid),
            (None, PersonReference::Mitid(uuid)) => self.keys.person_key(*uuid),
            (None, PersonReference::Cpr(number)) => self.keys.person_key_by_cpr(number),
        }
    }

    /// Every pseudonym of somebody whom the register knows; a block may stand under any of them.
    fn person_keys(&self, person: &Person) -> Vec<PersonKey> {
        let by_uuid = person.mitid_account.as_ref().map(|account| self.keys.person_key(account.mitid_uuid));
        let by_cpr = person.cpr_number.as_ref().map(|number| self.keys.person_key_by_cpr(number));
        by_uuid.into_iter().chain(by_cpr).collect()
    }

    /// What an operator's block says.
    async fn block_denial(&self, person: &Person) -> Result<Option<Denial>, Refusal> {
        let block = person_blocks::find_block(&self.store, &self.person_keys(person)).await?;
        Ok(block.map(|_| Denial::lasting(Reason::PersonBlocked)))
    }

    /// Spends one call of the caller's limit.
    async fn admit_caller(&self, caller: &str, now: DateTime<Utc>) -> Result<(), Refusal> {
        let limit = self.rules.limits.caller_calls;
        self.admit(&[Spend { bucket: Bucket::CallerCalls(caller), limit, id: Uuid::nil() }], now).await
    }

    /// Spends all or nothing, or refuses.
    async fn admit(&self, spends: &[Spend<'_>], now: DateTime<Utc>) -> Result<(), Refusal> {
        admitted(self.guard.check_and_spend(None, spends, now).await?)
    }

    /// One failed verification of the person, spent before it is known to fail (R18).
    fn failed_verification(&self, person: PersonKey, verification: Uuid) -> Spend<'static> {
        let limit = self.rules.limits.failed_verifications;
        Spend { bucket: Bucket::FailedVerifications(person), limit, id: verification }
    }

    /// The counts that Postgres holds each run of VerifyIdentity against (R18, R20).
    fn verification_limits(&self) -> VerificationLimits {
        let rules = &self.rules.verification;
        VerificationLimits {
            failed: self.rules.limits.failed_verifications,
            witness: Limit { times: rules.witness_times, per: rules.witness_window },
        }
    }

    /// Gives back what was spent at that time. Best effort: what stays spent is too much caution, not too little.
    async fn refund(&self, spends: &[Spend<'_>], spent_at: DateTime<Utc>) {
        if let Err(error) = self.guard.refund(spends, spent_at).await {
            tracing::warn!(%error, "a spend was not refunded");
        }
    }
}

/// A refusal, unless the guard has admitted.
fn admitted(admission: GuardDecision) -> Result<(), Refusal> {
    match admission {
        GuardDecision::Allowed => Ok(()),
        GuardDecision::Limited { reason, until } => Err(Refusal::Limited(Denial::until(reason, until))),
        GuardDecision::HoldMissing | GuardDecision::HoldNotPassed(_) => {
            Err(Refusal::Internal("the guard judged a hold that was not asked for".into()))
        }
    }
}

/// The language asked for, or that of the person's MitID profile.
fn language_of(asked: Option<Language>, person: &Person) -> Language {
    asked.or_else(|| person.mitid_account.as_ref().map(|account| account.language)).unwrap_or_default()
}

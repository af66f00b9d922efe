//! The use cases, one file or folder each. They call the guard, the register and the store, and apply the rules of
//! `domain`.
//!
//! Each use case is a struct that borrows only what it needs from [`Dependencies`] for one call.

mod call_context;
mod check_eligibility;
mod dependency;
mod issue_temporary_pin;
mod limiter;
mod operate;
mod person_turns;
mod redeem_temporary_pin;
mod refusal;
mod response_padding;
mod sms_composer;
pub mod verification_id;
mod verify_identity;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use rand::Rng;
use sqlx::PgPool;
use tokio::sync::Notify;

use crate::domain::language::Language;
use crate::domain::person::{MitidUuid, PersonReference};
use crate::domain::rules::Rules;
use crate::guard::Guard;
use crate::keys::KeyRing;
use crate::login::IdTokenVerifier;
use crate::register::Register;
use crate::store::eligibility::PersonStatusReader;
use crate::store::issuing::PinIssuer;
use crate::store::messages::local_handovers::LocalHandovers;
use crate::telemetry::metrics::Metrics;
use crate::texts::Texts;
use check_eligibility::CheckEligibility;
use issue_temporary_pin::IssueTemporaryPin;
use redeem_temporary_pin::RedeemTemporaryPin;
use verify_identity::VerifyIdentity;

pub use crate::domain::redemption::RedeemOutcome;
pub use crate::store::audit::audit_events::AuditEvent;
pub use crate::store::issuing::{DispatchState, PinRequestView, PinState};
pub use crate::store::operators::access_request_records::{AccessRequestRecord, AccessState};
pub use crate::store::operators::person_blocks::PersonBlock;
pub use crate::store::operators::pin_request_records::PinRequestRecord;
pub use call_context::CallContext;
pub use check_eligibility::{ChannelEligibility, Eligibility};
pub use dependency::{Dependency, DependencyFailure};
pub use issue_temporary_pin::IssueOrder;
pub use operate::{AuditPage, Blocking, LimitStatus, Notified, Operation, OperatorDesk};
pub use person_turns::PersonTurns;
pub use redeem_temporary_pin::RedeemOrder;
pub use refusal::Refusal;
pub use verify_identity::{Answers, Confirmation, CounterIdentification, Evidence, PhoneIdentification, Verification};

/// The connections and settings that the use cases share. `server::assemble` makes them once per process.
pub struct Dependencies {
    /// The connections to Postgres.
    pub store: PgPool,
    /// Groups concurrent orders for PINs into one statement.
    pub pin_issuer: PinIssuer,
    /// Groups concurrent reads of person status into one statement.
    pub person_status: PersonStatusReader,
    /// The connection to Redis.
    pub guard: Guard,
    /// The client of the identity register.
    pub register: Register,
    /// Checks the ID tokens of persons.
    pub web_login: IdTokenVerifier,
    /// Checks the ID tokens of agents.
    pub agent_login: IdTokenVerifier,
    /// The texts of the SMS.
    pub texts: Texts,
    /// The figures of the rules.
    pub rules: Rules,
    /// The randomness for drawing questions.
    pub question_draws: Arc<QuestionDraws>,
    /// The metrics.
    pub metrics: Metrics,
    /// Lets the calls of one person that spend a limit run one after another.
    pub person_turns: PersonTurns,
    /// Gives the dispatcher the SMS of new PINs.
    pub local_handovers: LocalHandovers,
    /// Wakes the dispatcher when an SMS is ready to be sent.
    pub dispatcher_wake: Arc<Notify>,
}

/// Makes the random number generator that draws the questions of one person (R16). Only questions use it: PINs, keys,
/// nonces and ids always come from [`secure`](crate::random::secure).
pub type QuestionDraws = dyn Fn(MitidUuid) -> Box<dyn Rng> + Send + Sync;

/// The use cases of one call. The call uses the same key ring from beginning to end.
pub struct Issuance {
    dependencies: Arc<Dependencies>,
    keys: Arc<KeyRing>,
}

impl Issuance {
    /// The use cases for one call, with the current key ring.
    #[must_use]
    pub fn new(dependencies: Arc<Dependencies>, keys: Arc<KeyRing>) -> Self {
        Self { dependencies, keys }
    }

    /// Tells in which channels the person can get a PIN, and when.
    pub async fn check_eligibility(
        &self,
        call: &CallContext,
        reference: &PersonReference,
    ) -> Result<Eligibility, Refusal> {
        CheckEligibility::new(&self.dependencies, &self.keys).run(call, reference).await
    }

    /// Verifies a person's identity, or takes the next step of a verification.
    pub async fn verify_identity(
        &self,
        call: &CallContext,
        evidence: Evidence,
        language: Option<Language>,
    ) -> Result<Verification, Refusal> {
        VerifyIdentity::new(&self.dependencies, &self.keys, call, language).run(evidence).await
    }

    /// Issues a PIN, sends the open PIN again, or returns the open PIN request.
    pub async fn issue_temporary_pin(&self, call: &CallContext, order: &IssueOrder) -> Result<PinRequestView, Refusal> {
        IssueTemporaryPin::new(&self.dependencies, &self.keys, call, order).run().await
    }

    /// Checks a PIN once.
    pub async fn redeem_temporary_pin(
        &self,
        order: &RedeemOrder,
        now: DateTime<Utc>,
    ) -> Result<RedeemOutcome, Refusal> {
        RedeemTemporaryPin::new(&self.dependencies, &self.keys, order, now).run().await
    }

    /// What an operator can do in one call.
    #[must_use]
    pub fn operator_desk<'a>(&'a self, operation: &'a Operation) -> OperatorDesk<'a> {
        OperatorDesk::new(&self.dependencies, &self.keys, operation)
    }
}

//! The use cases, one file or folder each. They call the guard, the register and the store, and apply the rules of
//! `domain`.
//!
//! Each use case is a struct that borrows only what it needs from [`Dependencies`] for one call.

mod call_context;
mod check_eligibility;
mod dependencies;
mod dependency_failure;
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

use crate::domain::language::Language;
use crate::domain::person::PersonReference;
use crate::keys::KeyRing;
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
pub use dependencies::{Dependencies, QuestionDraws};
pub use dependency_failure::{Dependency, DependencyFailure};
pub use issue_temporary_pin::IssueOrder;
pub use operate::{AuditPage, Blocking, LimitStatus, Notified, Operation, OperatorDesk};
pub use person_turns::PersonTurns;
pub use redeem_temporary_pin::RedeemOrder;
pub use refusal::Refusal;
pub use verify_identity::{
    Answers, Confirmation, CounterIdentification, Evidence, PhoneIdentification, Verification, WebLoginEvidence,
    WitnessEvidence,
};

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

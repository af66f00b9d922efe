//! IssueTemporaryPin: issues a PIN, sends the open PIN again, or returns the open PIN request. The SMS is sent after the
//! commit.
//!
//! - `decide`: Redis decides whether a new PIN may be issued.
//! - `prepare`: looks the person up and builds the order for Postgres.
//! - `commit`: runs the statement, which has the last word.
//! - `outcome`: turns the statement's outcome into the answer.

mod commit;
mod decide;
mod outcome;
mod prepare;

use sqlx::PgPool;
use tokio::sync::Notify;
use uuid::Uuid;

use super::limiter::Limiter;
use super::sms_composer::SmsComposer;
use super::verification_id::VerificationId;
use super::{CallContext, Dependencies, PersonTurns, Refusal};
use crate::domain::language::Language;
use crate::domain::rules::Rules;
use crate::guard::Guard;
use crate::keys::KeyRing;
use crate::register::Register;
use crate::store::issuing::{IssueOutcome, PinIssuer, PinRequestView};
use crate::telemetry::metrics::Metrics;
use decide::IssueDecision;

/// An order for a PIN.
#[derive(Clone, Debug)]
pub struct IssueOrder {
    /// The idempotency key.
    pub request_id: Uuid,
    /// The verification id that VerifyIdentity gave to the caller.
    pub verification_id: String,
    /// The language of the SMS. `None`: that of the person's MitID profile.
    pub language: Option<Language>,
}

/// The use case, with what it needs.
pub(super) struct IssueTemporaryPin<'a> {
    limiter: Limiter<'a>,
    guard: &'a Guard,
    register: &'a Register,
    store: &'a PgPool,
    pin_issuer: &'a PinIssuer,
    sms_composer: SmsComposer<'a>,
    keys: &'a KeyRing,
    rules: &'a Rules,
    metrics: &'a Metrics,
    person_turns: &'a PersonTurns,
    dispatcher_wake: &'a Notify,
    call: &'a CallContext,
    order: &'a IssueOrder,
}

impl<'a> IssueTemporaryPin<'a> {
    pub(super) fn new(
        dependencies: &'a Dependencies,
        keys: &'a KeyRing,
        call: &'a CallContext,
        order: &'a IssueOrder,
    ) -> Self {
        Self {
            limiter: Limiter::new(dependencies),
            guard: &dependencies.guard,
            register: &dependencies.register,
            store: &dependencies.store,
            pin_issuer: &dependencies.pin_issuer,
            sms_composer: SmsComposer::new(dependencies, keys),
            keys,
            rules: &dependencies.rules,
            metrics: &dependencies.metrics,
            person_turns: &dependencies.person_turns,
            dispatcher_wake: &dependencies.dispatcher_wake,
            call,
            order,
        }
    }

    pub(super) async fn run(&self) -> Result<PinRequestView, Refusal> {
        // Step 1: Open the verification id. It names the person, the mobile number and the agent.
        let id = VerificationId::open(&self.order.verification_id, self.keys, &self.call.caller, self.call.channel)?;

        let _turn = self.person_turns.take(self.keys.person_key(id.person)).await?;

        // Step 2: Decide by Redis whether a new PIN may be issued. This spends what a PIN costs.
        let costs = self.list_costs(&id);
        let decision = self.decide(&id, &costs).await?;

        // Step 3: Look the person up, build the order, and run the statement.
        let outcome = self.prepare_and_commit(&id, &decision).await;

        // Step 4: Give back what was spent if no new PIN was issued.
        if decision.may_issue() && !matches!(outcome, Ok(IssueOutcome::Issued(_))) {
            self.limiter.refund(&costs, self.call.now).await;
        }

        // Step 5: Wake the dispatcher if there is an SMS to send, and answer.
        let outcome = outcome?;
        self.announce(&outcome);
        outcome::answer(outcome, decision)
    }

    fn announce(&self, outcome: &IssueOutcome) {
        if matches!(outcome, IssueOutcome::Issued(_)) {
            self.metrics.count_issued_pin(self.call.channel);
        }
        if matches!(outcome, IssueOutcome::Issued(_) | IssueOutcome::Resent(_)) {
            self.dispatcher_wake.notify_one();
        }
    }
}

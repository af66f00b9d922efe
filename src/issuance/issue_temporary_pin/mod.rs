//! IssueTemporaryPin: issues a PIN, sends the open PIN again, or returns the open PIN request. The SMS is sent after the
//! commit.
//!
//! 1. `prepare`: opens the verification id and looks the person up, once.
//! 2. `decide`: Redis decides whether a new PIN may be issued, and spends what it costs.
//! 3. `commit`: draws the PIN and lets Postgres decide. `store::issuing` repeats only this step, after a lost race.
//!
//! `run` takes these steps.

mod commit;
mod decide;
mod prepare;
mod run;

use sqlx::PgPool;
use tokio::sync::Notify;
use uuid::Uuid;

use super::limiter::Limiter;
use super::sms_composer::SmsComposer;
use super::{CallContext, Dependencies, PersonTurns};
use crate::domain::language::Language;
use crate::domain::rule_settings::Rules;
use crate::guard::Guard;
use crate::keys::KeyRing;
use crate::register::Register;
use crate::store::issuing::PinIssuer;
use crate::store::messages::local_handovers::LocalHandovers;
use crate::telemetry::metrics::Metrics;

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
    local_handovers: &'a LocalHandovers,
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
            local_handovers: &dependencies.local_handovers,
            dispatcher_wake: &dependencies.dispatcher_wake,
            call,
            order,
        }
    }
}

//! What operators do: look into a person's case, end what must end, and reset limits (R9). All of it is audited.

mod act;
mod limits;
mod look_up;
mod page_token;
mod person_on_file;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use sqlx::PgPool;
use tokio::sync::Notify;

use super::limiter::Limiter;
use super::sms_composer::SmsComposer;
use super::{Dependencies, Refusal};
use crate::domain::audit::Action;
use crate::domain::person::PersonKey;
use crate::domain::rule_settings::Rules;
use crate::domain::stated_reason::StatedReason;
use crate::guard::Guard;
use crate::keys::KeyRing;
use crate::register::Register;
use crate::store::audit::audit_events::{self, Actor, NewAuditEvent};

pub use act::{Blocking, Notified};
pub use limits::LimitStatus;
pub use look_up::AuditPage;

/// One call of an operator: who, why, and when.
#[derive(Clone, Debug)]
pub struct Operation {
    /// Name of the caller, which is the operator's identity.
    pub operator: Arc<str>,
    /// Why the operator does it.
    pub reason: StatedReason,
    /// The time of the call. It is read once and used for every decision of the call.
    pub now: DateTime<Utc>,
}

/// What an operator can do in one call.
pub struct OperatorDesk<'a> {
    limiter: Limiter<'a>,
    guard: &'a Guard,
    register: &'a Register,
    store: &'a PgPool,
    sms_composer: SmsComposer<'a>,
    keys: &'a KeyRing,
    rules: &'a Rules,
    dispatcher_wake: &'a Notify,
    operation: &'a Operation,
}

impl<'a> OperatorDesk<'a> {
    pub(super) fn new(dependencies: &'a Dependencies, keys: &'a KeyRing, operation: &'a Operation) -> Self {
        Self {
            limiter: Limiter::new(dependencies),
            guard: &dependencies.guard,
            register: &dependencies.register,
            store: &dependencies.store,
            sms_composer: SmsComposer::new(dependencies, keys),
            keys,
            rules: &dependencies.rules,
            dispatcher_wake: &dependencies.dispatcher_wake,
            operation,
        }
    }

    /// Spends one call of the operator's limit.
    async fn spend_call(&self) -> Result<(), Refusal> {
        self.limiter.spend_caller_call(&self.operation.operator, self.operation.now).await
    }

    /// Records in the audit that the operator looked at the person.
    async fn record_look_up(&self, person: PersonKey, action: Action) -> Result<(), Refusal> {
        Ok(audit_events::record(self.store, &self.audit_event(person, action)).await?)
    }

    fn audit_event(&self, person: PersonKey, action: Action) -> NewAuditEvent<'_> {
        NewAuditEvent {
            now: self.operation.now,
            person,
            action,
            actor: Actor::Operator(&self.operation.operator),
            reason: self.operation.reason.as_str(),
            subject: None,
        }
    }
}

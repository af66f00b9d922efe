//! VerifyIdentity: confirms who a person is, by the evidence that the channel can give.

mod agent;
mod answers;
mod counter;
mod counter_evidence;
mod document_in_hand;
mod eligibility;
mod judge_evidence;
mod phone;
mod questions;
mod run_with_document;
mod web;
mod witness;

use chrono::{DateTime, Utc};
use sqlx::PgPool;
use tokio::sync::Notify;
use uuid::Uuid;

use super::limiter::Limiter;
use super::person_turns::{PersonTurn, PersonTurns};
use super::sms_composer::SmsComposer;
use super::{CallContext, Dependencies, QuestionDraws, Refusal};
use crate::domain::assurance::AssuranceLevel;
use crate::domain::fact::FactKind;
use crate::domain::hold::Hold;
use crate::domain::language::Language;
use crate::domain::person::PersonKey;
use crate::domain::reason::{Denial, Reason};
use crate::domain::rule_settings::Rules;
use crate::guard::Guard;
use crate::keys::KeyRing;
use crate::login::IdTokenVerifier;
use crate::register::Register;
use crate::store::verifying::history;
use crate::telemetry::metrics::Metrics;

pub use answers::Answers;
pub use counter_evidence::{Confirmation, CounterIdentification, WitnessEvidence};
pub use judge_evidence::Evidence;
pub use phone::PhoneIdentification;
pub use web::WebLoginEvidence;

/// The result of a verification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verification {
    /// The identity is confirmed.
    Verified {
        /// The sealed verification id for the caller.
        id: String,
        /// The level of assurance that was reached.
        assurance: AssuranceLevel,
        /// From when on the verification cannot be used any more.
        expire_time: DateTime<Utc>,
        /// Web only: the hold.
        hold: Option<Hold>,
    },
    /// The person must answer these questions.
    QuestionsPending {
        /// The sealed verification id for the caller.
        id: String,
        /// What to ask, in this order.
        questions: Vec<FactKind>,
        /// The language of the questions.
        language: Language,
        /// From when on the verification cannot be used any more.
        expire_time: DateTime<Utc>,
    },
    /// The identity is not confirmed.
    Rejected(Reason),
}

impl Verification {
    /// The name used in metrics.
    const fn outcome(&self) -> &'static str {
        match self {
            Self::Verified { .. } => "verified",
            Self::QuestionsPending { .. } => "questions_pending",
            Self::Rejected(_) => "rejected",
        }
    }
}

/// The use case, with what it needs.
pub(super) struct VerifyIdentity<'a> {
    limiter: Limiter<'a>,
    guard: &'a Guard,
    register: &'a Register,
    web_login: &'a IdTokenVerifier,
    agent_login: &'a IdTokenVerifier,
    store: &'a PgPool,
    person_turns: &'a PersonTurns,
    sms_composer: SmsComposer<'a>,
    keys: &'a KeyRing,
    rules: &'a Rules,
    question_draws: &'a QuestionDraws,
    metrics: &'a Metrics,
    dispatcher_wake: &'a Notify,
    call: &'a CallContext,
    /// The language that the caller requested.
    language: Option<Language>,
}

impl<'a> VerifyIdentity<'a> {
    pub(super) fn new(
        dependencies: &'a Dependencies,
        keys: &'a KeyRing,
        call: &'a CallContext,
        language: Option<Language>,
    ) -> Self {
        Self {
            limiter: Limiter::new(dependencies),
            guard: &dependencies.guard,
            register: &dependencies.register,
            web_login: &dependencies.web_login,
            agent_login: &dependencies.agent_login,
            store: &dependencies.store,
            person_turns: &dependencies.person_turns,
            sms_composer: SmsComposer::new(dependencies, keys),
            keys,
            rules: &dependencies.rules,
            question_draws: &*dependencies.question_draws,
            metrics: &dependencies.metrics,
            dispatcher_wake: &dependencies.dispatcher_wake,
            call,
            language,
        }
    }

    /// Waits for the person's turn, and spends one failed verification in the channel of the call before the verification is
    /// known to fail (R18). The turn lasts until the spend is given back or its row is recorded, so that no other call of this
    /// process sees a spend that is not decided.
    async fn spend_failed_verification(&self, person: PersonKey, verification: Uuid) -> Result<PersonTurn, Refusal> {
        let turn = self.person_turns.wait_for_turn(person).await?;
        let (channel, now) = (self.call.channel, self.call.now);
        let spends = [self.limiter.failed_verification(person, channel, verification)];
        let spent = self.limiter.spend(&spends, now).await;
        if !matches!(spent, Err(Refusal::Limited(_))) {
            return spent.map(|()| turn);
        }
        // Redis also counts calls that are running in other instances. The rows tell whether the limit is reached, and until
        // when.
        let limit = self.rules.limits.failed_verifications;
        let failed = history::count_failed_verifications(self.store, person, channel, limit, now).await?;
        Err(match failed.full_until {
            Some(until) => Refusal::Limited(Denial::until(Reason::VerificationLimit, until)),
            None => self.limiter.answer_busy(&spends, now).await,
        })
    }

    /// From when on a verification of this call cannot be used any more (R21).
    fn expire_time(&self) -> DateTime<Utc> {
        self.call.now + self.rules.verification.lifetime
    }
}

//! VerifyIdentity: who is this person, by the evidence that fits the channel.

mod answers;
mod counter;
mod phone;
mod run;
mod web;

use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::time::Instant;
use uuid::Uuid;

use super::response_padding::pad_response_time;
use super::{CallContext, Dependency, Issuance, Refusal, language_of};
use crate::domain::assurance::AssuranceLevel;
use crate::domain::channel::Channel;
use crate::domain::eligibility::find_person_denials;
use crate::domain::fact::FactKind;
use crate::domain::hold::Hold;
use crate::domain::language::Language;
use crate::domain::person::{AgentKey, Person, PersonKey};
use crate::domain::question;
use crate::domain::reason::Reason;
use crate::guard::{Bucket, Spend};
use crate::login::{Agent, LoginError};
use crate::store::verifying::verifications;
use run::{Step, Subject};

pub use answers::Answers;
pub use counter::{Confirmation, CounterIdentification};
pub use phone::PhoneIdentification;

/// Evidence of who a person is. Holds secrets, so it has no `Debug`.
pub enum Evidence {
    /// The person's own login.
    Web {
        /// The ID token.
        id_token: SecretString,
        /// The nonce that the frontend sent with the login.
        nonce: SecretString,
    },
    /// What the person tells a support agent.
    Phone(PhoneIdentification),
    /// What a clerk has seen.
    Counter(Box<CounterIdentification>),
    /// Answers to questions.
    Answers(Answers),
}

/// What came of a verification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verification {
    /// The identity is confirmed.
    Verified {
        /// The id for the caller.
        id: String,
        /// The level reached.
        assurance: AssuranceLevel,
        /// When it ceases to serve.
        expire_time: DateTime<Utc>,
        /// Web: the hold.
        hold: Option<Hold>,
    },
    /// These questions are to be answered.
    QuestionsPending {
        /// The id for the caller.
        id: String,
        /// What to ask, in this order.
        questions: Vec<FactKind>,
        /// In which language.
        language: Language,
        /// When it ceases to serve.
        expire_time: DateTime<Utc>,
    },
    /// The identity is not confirmed.
    Rejected(Reason),
}

impl Issuance {
    /// Verifies a person's identity, or takes the next step of it. All that is no yes leaves at its time.
    pub async fn verify_identity(
        &self,
        call: &CallContext,
        evidence: Evidence,
        language: Option<Language>,
    ) -> Result<Verification, Refusal> {
        let start = Instant::now();
        let result = self.judge_evidence(call, evidence, language).await;
        if !matches!(result, Ok(Verification::Verified { .. } | Verification::QuestionsPending { .. })) {
            pad_response_time(start, self.rules.verification.refusal_interval).await;
        }
        result
    }

    async fn judge_evidence(
        &self,
        call: &CallContext,
        evidence: Evidence,
        language: Option<Language>,
    ) -> Result<Verification, Refusal> {
        let verification = match (call.channel, evidence) {
            (Channel::Web, Evidence::Web { id_token, nonce }) => {
                self.web_login(call, &id_token, &nonce, language).await
            }
            (Channel::Phone, Evidence::Phone(evidence)) => self.phone_identification(call, &evidence, language).await,
            (Channel::Counter, Evidence::Counter(evidence)) => {
                self.counter_identification(call, &evidence, language).await
            }
            (Channel::Phone | Channel::Counter, Evidence::Answers(answers)) => {
                self.question_answers(call, &answers, language).await
            }
            _ => Err(Refusal::NotAllowed(Reason::CallerNotAllowed)),
        }?;
        let outcome = match &verification {
            Verification::Verified { .. } => "verified",
            Verification::QuestionsPending { .. } => "questions_pending",
            Verification::Rejected(_) => "rejected",
        };
        self.metrics.count_verification(call.channel, outcome);
        Ok(verification)
    }

    /// Proves the agent (R22). The caller's call is spent before, or bad tokens would cost nothing.
    async fn agent(&self, token: &SecretString, now: DateTime<Utc>) -> Result<(Agent, AgentKey), Refusal> {
        let agent =
            self.agent_login.verify_agent_login(token.expose_secret(), now).await.map_err(|error| match error {
                LoginError::Denied { reason, .. } => Refusal::NotAllowed(reason),
                LoginError::Unavailable => Refusal::Unavailable(Dependency::Login),
            })?;
        let key = self.keys.agent_key(&agent.issuer, &agent.subject);
        Ok((agent, key))
    }

    /// Spends one verification of the agent (R22).
    async fn admit_agent(&self, call: &CallContext, agent: AgentKey, verification: Uuid) -> Result<(), Refusal> {
        let limit = self.rules.limits.agent_verifications;
        let spend = Spend { bucket: Bucket::AgentVerifications(agent), limit, id: verification };
        self.admit(&[spend], call.now).await
    }

    /// The person as somebody who can have a PIN in this channel now, or why not (R9, R10–R14).
    async fn eligible(&self, person: &Person, call: &CallContext) -> Result<Subject, Refusal> {
        let mut denials = find_person_denials(person, call.channel, &self.rules.eligibility, call.now);
        denials.extend(self.block_denial(person).await?);
        match person.mitid_account.as_ref().zip(person.registered_mobile()) {
            Some((account, mobile)) if denials.is_empty() => {
                Ok(Subject { mitid_uuid: account.mitid_uuid, mobile: self.keys.mobile_key(&mobile.number) })
            }
            _ => Err(Refusal::Precondition(denials)),
        }
    }

    /// An agent does not serve themself.
    fn not_oneself(agent: &Agent, person: &Person) -> Result<(), Refusal> {
        let account = person.mitid_account.as_ref();
        match (agent.mitid_uuid, account) {
            (Some(own), Some(account)) if own == account.mitid_uuid => {
                Err(Refusal::NotAllowed(Reason::AgentNotAccepted))
            }
            _ => Ok(()),
        }
    }

    /// Draws the questions for a person whose document is in order (R16).
    async fn ask(
        &self,
        call: &CallContext,
        key: PersonKey,
        person: &Person,
        language: Option<Language>,
    ) -> Result<Step, Refusal> {
        let subject = self.eligible(person, call).await?;
        let since = call.now - self.rules.verification.question_memory;
        let asked = verifications::list_unsuccessful_kinds(&self.store, key, since).await?;
        let mut rng = (self.question_draws)(subject.mitid_uuid);
        Ok(match question::draw_questions(&person.facts, person.protected, &asked, &mut rng) {
            Ok(questions) => {
                Step::Ask { subject, questions: questions.into(), language: language_of(language, person) }
            }
            Err(_) => Step::Rejected(Reason::InsufficientData),
        })
    }
}

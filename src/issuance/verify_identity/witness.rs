//! Counter: the witness who vouches for the person (R20).

use super::VerifyIdentity;
use super::counter_evidence::{CounterIdentification, WitnessEvidence};
use crate::domain::calendar;
use crate::domain::document_acceptance;
use crate::domain::person::{AgentKey, Person, PersonKey, PersonReference};
use crate::domain::reason::Reason;
use crate::domain::witness::{self, WitnessLimits};
use crate::issuance::sms_composer::{NOTICE_LIFETIME, choose_language};
use crate::issuance::{Dependency, Refusal};
use crate::login::{Agent, LoginError};
use crate::random;
use crate::store::messages::{MessageKind, Notice};
use crate::texts::SmsText;

/// What the login of a witness proves.
pub(super) enum WitnessLogin {
    /// Who the witness is.
    Mitid(PersonReference),
    /// That the witness is a professional one, by their login at the workforce issuer.
    Professional(Agent),
    /// Nothing: the settings allow a witness without a login.
    Missing,
}

/// A witness who may vouch for the person, and what is recorded of them.
pub(super) struct AcceptedWitness {
    pub key: PersonKey,
    pub limits: WitnessLimits,
    pub login_nonce_digest: Option<[u8; 32]>,
    /// A professional witness.
    pub agent: Option<AgentKey>,
    pub notice: Notice,
    /// Whether the clerk could be the witness.
    pub is_clerk_unknown: bool,
}

impl VerifyIdentity<'_> {
    /// Refuses a witness without a login, unless the settings allow it.
    pub(super) fn require_witness_login(&self, evidence: &CounterIdentification) -> Result<(), Refusal> {
        let lacks_login = evidence.witness().is_some_and(|witness| witness.login.is_none());
        if lacks_login && self.rules.verification.witness_login_required {
            return Err(Refusal::Invalid(vec![
                ("counter_identification.witness.login_token", "is required".into()),
                ("counter_identification.witness.nonce", "is required".into()),
            ]));
        }
        Ok(())
    }

    /// Verifies the witness's login. This comes before the person's document is judged, so that its answer reveals nothing about
    /// the person. A login is no guess, so a rejected one does not count (R18).
    pub(super) async fn verify_witness_login(
        &self,
        witness: &WitnessEvidence,
    ) -> Result<Result<WitnessLogin, Reason>, Refusal> {
        let Some(login) = &witness.login else { return Ok(Ok(WitnessLogin::Missing)) };
        let (tokens, now, max_age) = (login.tokens(), self.call.now, self.rules.verification.login_age);
        let is_professional =
            !self.web_login.is_addressed(tokens.id_token) && self.agent_login.is_addressed(tokens.id_token);
        let verified = if is_professional {
            let agent = self.agent_login.verify_professional_witness(&tokens, now, max_age).await;
            agent.map(WitnessLogin::Professional)
        } else {
            let login = self.web_login.verify_web_login(&tokens, now, max_age).await;
            login.map(|login| WitnessLogin::Mitid(login.person))
        };
        match verified {
            Ok(login) => Ok(Ok(login)),
            Err(LoginError::Denied { .. }) => Ok(Err(Reason::WitnessLoginNotAccepted)),
            Err(error @ LoginError::Unavailable) => Err(Refusal::unavailable(Dependency::Login, &error)),
        }
    }

    /// The witness, if they may vouch for the person. How often they have vouched is checked when that is recorded.
    pub(super) async fn judge_witness(
        &self,
        evidence: &WitnessEvidence,
        login: &WitnessLogin,
        person: &Person,
        clerk: (&Agent, AgentKey),
    ) -> Result<Option<AcceptedWitness>, Refusal> {
        let WitnessEvidence { person: reference, document, .. } = evidence;
        let (witness, registered) =
            tokio::try_join!(self.register.look_up_person(reference), self.register.look_up_document(document))?;
        let Some(witness) = witness else { return Ok(None) };
        let (clerk, clerk_key) = clerk;
        let now = self.call.now;
        let today = calendar::date_in_copenhagen(now);
        let rules = &self.rules.verification;
        let registered = registered.as_ref();
        if document_acceptance::witness_lacks_expiry_date(document, registered, &rules.documents) {
            return Err(Refusal::field(
                "counter_identification.witness.document.expiry_date",
                "is required: the register does not know the document",
            ));
        }
        let judgement =
            document_acceptance::judge_witness_document(document, registered, &witness, &rules.documents, today);
        let destinations = &self.rules.eligibility.destinations;
        let agent = match login {
            WitnessLogin::Professional(agent) => Some(self.keys.agent_key(&agent.issuer, &agent.subject)),
            WitnessLogin::Mitid(_) | WitnessLogin::Missing => None,
        };
        let is_accepted = judgement.is_ok()
            && is_witness_logged_in(&witness, login)
            && agent != Some(clerk_key)
            && witness::may_witness(&witness, person, clerk.person.as_ref(), rules, destinations, now)
            && self.find_block_denial(&witness).await?.is_none();
        let Some(notice) = self.write_witness_notice(&witness).filter(|_| is_accepted) else { return Ok(None) };
        let times = agent.is_none().then_some(rules.witness_times);
        Ok(Some(AcceptedWitness {
            key: self.keys.person_pseudonyms(Some(reference), Some(&witness)).primary(),
            limits: WitnessLimits { window: rules.witness_window, times },
            login_nonce_digest: evidence.login.as_ref().map(|login| self.digest_login_nonce(&login.nonce)),
            agent,
            notice,
            is_clerk_unknown: clerk.person.is_none(),
        }))
    }

    /// Writes the SMS to the witness. `None`: the witness has no mobile number.
    fn write_witness_notice(&self, witness: &Person) -> Option<Notice> {
        let mobile = witness.registered_mobile()?;
        let now = self.call.now;
        let id = random::time_ordered_uuid(now, &mut random::secure());
        let text = SmsText::Witnessed { time: now };
        let sealed_body = self.sms_composer.compose(id, &text, choose_language(None, witness), &mobile.number);
        Some(Notice {
            id,
            kind: MessageKind::Witnessed,
            sealed_body,
            due_time: now,
            expire_time: now + NOTICE_LIFETIME,
        })
    }
}

/// Whether the login is the witness's own, as far as it tells. A professional witness's login may not name a person.
fn is_witness_logged_in(witness: &Person, login: &WitnessLogin) -> bool {
    let person = match login {
        WitnessLogin::Mitid(person) => Some(person),
        WitnessLogin::Professional(agent) => agent.person.as_ref(),
        WitnessLogin::Missing => None,
    };
    person.is_none_or(|person| witness.is_named_by(person))
}

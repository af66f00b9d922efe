//! Web: the person's own login, which is the act of asking for access (R6–R8, R23).

use secrecy::{ExposeSecret as _, SecretString};
use uuid::Uuid;

use super::super::verification_id::VerificationId;
use super::{Issuance, Verification};
use crate::domain::hold::Hold;
use crate::domain::language::Language;
use crate::domain::person::{MitidUuid, Person, PersonReference};
use crate::domain::reason::{Denial, Reason};
use crate::issuance::{CallContext, Dependency, Refusal, language_of};
use crate::login::{LoginError, WebLogin};
use crate::random;
use crate::sms::sealed_message::seal_message;
use crate::store::holds::access_requests::{self, AccessOutcome, AccessRequest};
use crate::store::messages::outbox::{MessageKind, Notice};
use crate::store::verifying::verifications::{self, Method, NewVerification, RecordOutcome, VerificationState};
use crate::texts::SmsText;

impl Issuance {
    pub(super) async fn web_login(
        &self,
        call: &CallContext,
        id_token: &SecretString,
        nonce: &SecretString,
        language: Option<Language>,
    ) -> Result<Verification, Refusal> {
        self.admit_caller(&call.caller, call.now).await?;
        let (token, login_age) = (id_token.expose_secret(), self.rules.verification.login_age);
        let login = match self.web_login.verify_web_login(token, nonce.expose_secret(), call.now, login_age).await {
            Ok(login) => Ok(login),
            Err(LoginError::Unavailable) => return Err(Refusal::Unavailable(Dependency::Login)),
            Err(LoginError::Denied { reason, person: None }) => return Ok(Verification::Rejected(reason)),
            Err(LoginError::Denied { reason, person: Some(person) }) => Err((person, reason)),
        };
        let id = random::time_ordered_uuid(call.now, &mut random::secure());
        let person = self.keys.person_key(match &login {
            Ok(login) => login.mitid_uuid,
            Err((person, _)) => *person,
        });
        let spent = [self.failed_verification(person, id)];
        self.admit(&spent, call.now).await?;
        let result = match login {
            Ok(login) => self.accept(call, id, &login, nonce, language).await,
            Err((person, reason)) => self.reject_login(call, id, person, reason).await,
        };
        if matches!(result, Ok(Verification::Verified { .. }) | Err(_)) {
            self.refund(&spent, call.now).await;
        }
        result
    }

    /// An accepted login opens the access request, or finds the one that is open.
    async fn accept(
        &self,
        call: &CallContext,
        id: Uuid,
        login: &WebLogin,
        nonce: &SecretString,
        language: Option<Language>,
    ) -> Result<Verification, Refusal> {
        let person = self.register.look_up_person(&PersonReference::Mitid(login.mitid_uuid)).await?;
        let Some(person) = person else {
            return self.reject_login(call, id, login.mitid_uuid, Reason::IdentityNotConfirmed).await;
        };
        let subject = self.eligible(&person, call).await?;
        // Nobody would get the answer, and the nonce could not serve again.
        if call.gone.is_cancelled() {
            return Err(Refusal::Abandoned);
        }
        let key = self.keys.person_key(login.mitid_uuid);
        let hold = Hold::start(call.now, &self.rules.hold);
        let request = AccessRequest {
            id: random::time_ordered_uuid(call.now, &mut random::secure()),
            hold,
            notices: &self.notices(&hold, &person, language),
            verification: NewVerification {
                login_nonce_digest: Some(self.keys.keyed_digest("login nonce", nonce.expose_secret().as_bytes())),
                ..self.login_row(call, id, login.mitid_uuid, VerificationState::Verified(login.assurance))
            },
        };
        let hold = match access_requests::request_access(&self.store, &request, &self.verification_limits()).await? {
            AccessOutcome::Opened(hold) => {
                self.wake.notify_one();
                hold
            }
            AccessOutcome::Running(hold) | AccessOutcome::Passed(hold) => hold,
            // Most likely the retry of a call whose answer was lost: no failure of the person's (R18).
            AccessOutcome::NonceUsed => {
                self.refund(&[self.failed_verification(key, id)], call.now).await;
                return Ok(Verification::Rejected(Reason::LoginNotAccepted));
            }
            AccessOutcome::Blocked => return Err(Refusal::lasting(Reason::PersonBlocked)),
            AccessOutcome::Limited { until } => {
                return Err(Refusal::Limited(Denial::until(Reason::VerificationLimit, until)));
            }
        };
        // Postgres has it; a guard that cannot be told now finds it there later.
        if let Err(error) = self.guard.remember_hold(key, &hold, call.now).await {
            tracing::warn!(%error, "the hold was not noted in Redis");
        }
        let verification_id = VerificationId {
            verification: id,
            person: login.mitid_uuid,
            channel: call.channel,
            create_time: call.now,
            mobile: subject.mobile,
            agent: None,
        };
        Ok(Verification::Verified {
            id: verification_id.seal(&self.keys, &call.caller),
            assurance: login.assurance,
            expire_time: call.now + self.rules.verification.lifetime,
            hold: Some(hold),
        })
    }

    /// A login that is genuine but does not serve counts against its person (R18).
    async fn reject_login(
        &self,
        call: &CallContext,
        id: Uuid,
        person: MitidUuid,
        reason: Reason,
    ) -> Result<Verification, Refusal> {
        let row = self.login_row(call, id, person, VerificationState::Rejected(reason));
        match verifications::record(&self.store, &row, &self.verification_limits()).await? {
            RecordOutcome::Limited { until } => Err(Refusal::Limited(Denial::until(Reason::VerificationLimit, until))),
            RecordOutcome::Recorded | RecordOutcome::WitnessUsed | RecordOutcome::NonceUsed => {
                Ok(Verification::Rejected(reason))
            }
        }
    }

    fn login_row<'a>(
        &self,
        call: &'a CallContext,
        id: Uuid,
        person: MitidUuid,
        state: VerificationState,
    ) -> NewVerification<'a> {
        NewVerification {
            id,
            person: self.keys.person_key(person),
            channel: call.channel,
            caller: &call.caller,
            agent: None,
            method: Method::Login,
            state,
            question_kinds: &[],
            witness: None,
            login_nonce_digest: None,
            case_reference: None,
            office_id: None,
            appointment_reference: None,
            now: call.now,
            expire_time: call.now + self.rules.verification.lifetime,
        }
    }

    /// What the person is told: at once, and when the hold has passed (R8).
    fn notices(&self, hold: &Hold, person: &Person, language: Option<Language>) -> Vec<Notice> {
        let mobile = person.registered_mobile();
        let Some(mobile) = mobile.filter(|_| self.rules.hold.notify) else { return Vec::new() };
        let language = language_of(language, person);
        let notice = |kind, text: &SmsText<'_>, due_time, expire_time| {
            let id = random::time_ordered_uuid(hold.request_time, &mut random::secure());
            let text = self.texts.render_sms(text, language, &mobile.number);
            let sealed_body = seal_message(&self.keys, id, &mobile.number, &text);
            Notice { id, kind, sealed_body, due_time, expire_time }
        };
        let requested = SmsText::AccessRequested { eligible_time: hold.eligible_time };
        let passed = SmsText::HoldPassed { expire_time: hold.expire_time };
        vec![
            notice(MessageKind::AccessRequested, &requested, hold.request_time, hold.expire_time),
            notice(MessageKind::HoldPassed, &passed, hold.eligible_time, hold.expire_time),
        ]
    }
}

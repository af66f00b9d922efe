//! Web: the person's own login, which is also the request for access (R6–R8, R23).

use secrecy::{ExposeSecret as _, SecretString};
use uuid::Uuid;

use super::{Verification, VerifyIdentity};
use crate::domain::hold::Hold;
use crate::domain::person::{MitidUuid, Person, PersonKey, PersonReference};
use crate::domain::reason::{Denial, Reason};
use crate::issuance::sms_composer::choose_language;
use crate::issuance::verification_id::VerificationId;
use crate::issuance::{Dependency, Refusal};
use crate::login::{LoginError, WebLogin};
use crate::random;
use crate::store::holds::access_requests::{self, AccessOutcome, AccessRequest};
use crate::store::messages::{MessageKind, Notice};
use crate::store::verifying::verifications::{self, Method, NewVerification, RecordOutcome, VerificationState};
use crate::texts::SmsText;

impl VerifyIdentity<'_> {
    pub(super) async fn verify_web_login(
        &self,
        id_token: &SecretString,
        nonce: &SecretString,
    ) -> Result<Verification, Refusal> {
        let now = self.call.now;
        self.limiter.spend_caller_call(&self.call.caller, now).await?;
        let (token, max_age) = (id_token.expose_secret(), self.rules.verification.login_age);
        let login = match self.web_login.verify_web_login(token, nonce.expose_secret(), now, max_age).await {
            Ok(login) => Ok(login),
            Err(error @ LoginError::Unavailable) => return Err(Refusal::unavailable(Dependency::Login, &error)),
            Err(LoginError::Denied { reason, person: None }) => return Ok(Verification::Rejected(reason)),
            Err(LoginError::Denied { reason, person: Some(person) }) => Err((person, reason)),
        };
        let id = random::time_ordered_uuid(now, &mut random::secure());
        let person = match &login {
            Ok(login) => login.mitid_uuid,
            Err((person, _)) => *person,
        };
        let person_key = self.keys.person_key(person);
        let _turn = self.spend_failed_verification(person_key, id).await?;
        let result = match login {
            Ok(login) => self.accept_login(id, &login, nonce).await,
            Err((person, reason)) => self.reject_login(id, person, reason).await,
        };
        if matches!(result, Ok(Verification::Verified { .. }) | Err(_)) {
            self.limiter.refund(&[self.limiter.failed_verification(person_key, id)], now).await;
        }
        result
    }

    /// Opens an access request, or finds the open one.
    async fn accept_login(&self, id: Uuid, login: &WebLogin, nonce: &SecretString) -> Result<Verification, Refusal> {
        let now = self.call.now;
        let person = self.register.look_up_person(&PersonReference::Mitid(login.mitid_uuid)).await?;
        let Some(person) = person else {
            return self.reject_login(id, login.mitid_uuid, Reason::IdentityNotConfirmed).await;
        };
        let eligible = self.check_eligible(&person).await?;
        // The caller would not get the answer, and the nonce could not be used again.
        if self.call.gone.is_cancelled() {
            return Err(Refusal::Abandoned);
        }
        let key = self.keys.person_key(login.mitid_uuid);
        let hold = Hold::start(now, &self.rules.hold);
        let request = AccessRequest {
            id: random::time_ordered_uuid(now, &mut random::secure()),
            hold,
            notices: &self.write_notices(&hold, &person),
            verification: NewVerification {
                login_nonce_digest: Some(self.keys.keyed_digest("login nonce", nonce.expose_secret().as_bytes())),
                ..self.login_row(id, login.mitid_uuid, VerificationState::Verified(login.assurance))
            },
        };
        let hold = match access_requests::request_access(self.store, &request, &self.limits()).await? {
            AccessOutcome::Opened(hold) => {
                self.dispatcher_wake.notify_one();
                hold
            }
            AccessOutcome::Running(hold) | AccessOutcome::Passed(hold) => hold,
            // Most likely a retry of a call whose answer was lost, so it does not count against the person (R18).
            AccessOutcome::NonceUsed => {
                self.limiter.refund(&[self.limiter.failed_verification(key, id)], now).await;
                return Ok(Verification::Rejected(Reason::LoginNotAccepted));
            }
            AccessOutcome::Blocked => return Err(Refusal::lasting(Reason::PersonBlocked)),
            AccessOutcome::Limited { until } => {
                return Err(Refusal::Limited(Denial::until(Reason::VerificationLimit, until)));
            }
        };
        self.remember_hold(key, &hold).await;
        let verification_id = VerificationId {
            verification: id,
            person: login.mitid_uuid,
            channel: self.call.channel,
            create_time: now,
            mobile: eligible.mobile,
            agent: None,
        };
        Ok(Verification::Verified {
            id: verification_id.seal(self.keys, &self.call.caller),
            assurance: login.assurance,
            expire_time: self.expire_time(),
            hold: Some(hold),
        })
    }

    /// Stores the hold in Redis. A failure is only logged: the hold is in Postgres, and the guard rebuilds it from there.
    async fn remember_hold(&self, person: PersonKey, hold: &Hold) {
        if let Err(error) = self.guard.remember_hold(person, hold, self.call.now).await {
            tracing::warn!(%error, "the hold was not noted in Redis");
        }
    }

    /// Records a genuine login that is not acceptable. It counts as a failed verification of its person (R18).
    async fn reject_login(&self, id: Uuid, person: MitidUuid, reason: Reason) -> Result<Verification, Refusal> {
        let row = self.login_row(id, person, VerificationState::Rejected(reason));
        match verifications::record(self.store, &row, &self.limits()).await? {
            RecordOutcome::Limited { until } => Err(Refusal::Limited(Denial::until(Reason::VerificationLimit, until))),
            RecordOutcome::Recorded | RecordOutcome::WitnessUsed | RecordOutcome::NonceUsed => {
                Ok(Verification::Rejected(reason))
            }
        }
    }

    fn login_row(&self, id: Uuid, person: MitidUuid, state: VerificationState) -> NewVerification<'_> {
        NewVerification {
            id,
            person: self.keys.person_key(person),
            channel: self.call.channel,
            caller: &self.call.caller,
            agent: None,
            method: Method::Login,
            state,
            question_kinds: &[],
            witness: None,
            login_nonce_digest: None,
            case_reference: None,
            office_id: None,
            appointment_reference: None,
            now: self.call.now,
            expire_time: self.expire_time(),
        }
    }

    /// The two notices to the person: access was requested, and the hold has passed (R8).
    fn write_notices(&self, hold: &Hold, person: &Person) -> Vec<Notice> {
        let Some(mobile) = person.registered_mobile().filter(|_| self.rules.hold.notify) else { return Vec::new() };
        let language = choose_language(self.language, person);
        let notice = |kind, text: &SmsText<'_>, due_time| {
            let id = random::time_ordered_uuid(hold.request_time, &mut random::secure());
            let sealed_body = self.sms_composer.compose(id, text, language, &mobile.number);
            Notice { id, kind, sealed_body, due_time, expire_time: hold.expire_time }
        };
        let requested = SmsText::AccessRequested { eligible_time: hold.eligible_time };
        let passed = SmsText::HoldPassed { expire_time: hold.expire_time };
        vec![
            notice(MessageKind::AccessRequested, &requested, hold.request_time),
            notice(MessageKind::HoldPassed, &passed, hold.eligible_time),
        ]
    }
}

//! Web: the person's own login, which is also the request for access (R6–R8, R23).

use secrecy::{ExposeSecret as _, SecretString};
use uuid::Uuid;

use super::{Verification, VerifyIdentity};
use crate::domain::assurance::AssuranceLevel;
use crate::domain::hold::Hold;
use crate::domain::person::{MitidUuid, Person, PersonKey, PersonReference};
use crate::domain::reason::Reason;
use crate::issuance::sms_composer::choose_language;
use crate::issuance::verification_id::VerificationId;
use crate::issuance::{Dependency, Refusal};
use crate::login::{LoginError, WebLogin, WebLoginTokens};
use crate::random;
use crate::store::holds::access_requests::{self, AccessOutcome, AccessRequest};
use crate::store::messages::{MessageKind, Notice};
use crate::store::verifying::verifications::{self, Method, NewVerification, VerificationLimits, VerificationState};
use crate::texts::SmsText;

/// What a frontend sends of the person's own login. It holds secrets, so it has no `Debug`.
pub struct WebLoginEvidence {
    pub id_token: SecretString,
    /// Names the person, where the broker's ID token does not.
    pub userinfo_token: Option<SecretString>,
    /// The nonce that the frontend sent with the login.
    pub nonce: SecretString,
}

impl WebLoginEvidence {
    pub(super) fn tokens(&self) -> WebLoginTokens<'_> {
        WebLoginTokens {
            id_token: self.id_token.expose_secret(),
            userinfo_token: self.userinfo_token.as_ref().map(|token| token.expose_secret()),
            nonce: self.nonce.expose_secret(),
        }
    }
}

impl VerifyIdentity<'_> {
    pub(super) async fn verify_web_login(&self, evidence: &WebLoginEvidence) -> Result<Verification, Refusal> {
        let now = self.call.now;
        self.limiter.spend_caller_call(&self.call.caller, now).await?;
        let max_age = self.rules.verification.login_age;
        let (reference, login) = match self.web_login.verify_web_login(&evidence.tokens(), now, max_age).await {
            Ok(WebLogin { person, assurance }) => (person, Ok(assurance)),
            Err(error @ LoginError::Unavailable) => return Err(Refusal::unavailable(Dependency::Login, &error)),
            Err(LoginError::Denied { reason, person: None }) => return Ok(Verification::Rejected(reason)),
            Err(LoginError::Denied { reason, person: Some(person) }) => (person, Err(reason)),
        };
        let id = random::time_ordered_uuid(now, &mut random::secure());
        let Some(person) = self.find_mitid_account(&reference).await? else {
            return Ok(Verification::Rejected(login.err().unwrap_or(Reason::IdentityNotConfirmed)));
        };
        match login {
            Ok(assurance) => self.accept_login(id, person, assurance, &evidence.nonce).await,
            Err(reason) => self.reject_login(id, person, reason).await,
        }
    }

    /// The MitID account that logged in. A broker that names persons by CPR number does not tell it.
    async fn find_mitid_account(&self, reference: &PersonReference) -> Result<Option<MitidUuid>, Refusal> {
        if let PersonReference::Mitid(mitid_uuid) = reference {
            return Ok(Some(*mitid_uuid));
        }
        let person = self.register.look_up_person(reference).await?;
        Ok(person.and_then(|person| person.mitid_account).map(|account| account.mitid_uuid))
    }

    /// Opens an access request, or finds the open one.
    async fn accept_login(
        &self,
        id: Uuid,
        mitid_uuid: MitidUuid,
        assurance: AssuranceLevel,
        nonce: &SecretString,
    ) -> Result<Verification, Refusal> {
        let now = self.call.now;
        let person = self.register.look_up_person(&PersonReference::Mitid(mitid_uuid)).await?;
        let Some(person) = person else {
            return self.reject_login(id, mitid_uuid, Reason::IdentityNotConfirmed).await;
        };
        let eligible = self.check_eligible(&person).await?;
        // The caller would not get the answer, and the nonce could not be used again.
        if self.call.gone.is_cancelled() {
            return Err(Refusal::Abandoned);
        }
        let key = self.keys.person_key(mitid_uuid);
        let hold = Hold::start(now, &self.rules.hold);
        let request = AccessRequest {
            id: random::time_ordered_uuid(now, &mut random::secure()),
            hold,
            notices: &self.write_notices(&hold, &person),
            verification: NewVerification {
                login_nonce_digest: Some(self.digest_login_nonce(nonce)),
                ..self.login_row(id, mitid_uuid, VerificationState::Verified(assurance))
            },
        };
        let hold = match access_requests::request_access(self.store, &request).await? {
            AccessOutcome::Opened(hold) => {
                self.dispatcher_wake.notify_one();
                hold
            }
            AccessOutcome::Running(hold) | AccessOutcome::Passed(hold) => hold,
            // Most likely a retry of a call whose answer was lost.
            AccessOutcome::NonceUsed => return Ok(Verification::Rejected(Reason::LoginNotAccepted)),
            AccessOutcome::Blocked => return Err(Refusal::lasting(Reason::PersonBlocked)),
        };
        self.remember_hold(key, &hold).await;
        let verification_id = VerificationId {
            verification: id,
            person: mitid_uuid,
            channel: self.call.channel,
            create_time: now,
            mobile: eligible.mobile,
            agent: None,
        };
        Ok(Verification::Verified {
            id: verification_id.seal(self.keys, &self.call.caller),
            assurance,
            expire_time: self.expire_time(),
            hold: Some(hold),
        })
    }

    /// What is stored of a nonce, so that it is used once. Logins of persons and of witnesses share this.
    pub(super) fn digest_login_nonce(&self, nonce: &SecretString) -> [u8; 32] {
        self.keys.keyed_digest("login nonce", nonce.expose_secret().as_bytes())
    }

    /// Stores the hold in Redis. A failure is only logged: the hold is in Postgres, and the guard rebuilds it from there.
    async fn remember_hold(&self, person: PersonKey, hold: &Hold) {
        if let Err(error) = self.guard.remember_hold(person, hold, self.call.now).await {
            tracing::warn!(%error, "the hold was not noted in Redis");
        }
    }

    /// Records a genuine login that is not acceptable. It is no guess, so it closes nothing (R18).
    async fn reject_login(&self, id: Uuid, person: MitidUuid, reason: Reason) -> Result<Verification, Refusal> {
        let row = self.login_row(id, person, VerificationState::Rejected(reason));
        verifications::record(self.store, &row, &VerificationLimits::none()).await?;
        Ok(Verification::Rejected(reason))
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
            witness_agent: None,
            witness_notice: None,
            is_clerk_unknown: false,
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
        let notice = |kind, text: &SmsText<'_>, due_time, expire_time| {
            let id = random::time_ordered_uuid(hold.request_time, &mut random::secure());
            let sealed_body = self.sms_composer.compose(id, text, language, &mobile.number);
            Notice { id, kind, sealed_body, due_time, expire_time }
        };
        let requested = SmsText::AccessRequested { eligible_time: hold.eligible_time };
        let passed = SmsText::HoldPassed { expire_time: hold.expire_time };
        vec![
            // It says from when the person can order. After that time it would be wrong.
            notice(MessageKind::AccessRequested, &requested, hold.request_time, hold.eligible_time),
            notice(MessageKind::HoldPassed, &passed, hold.eligible_time, hold.expire_time),
        ]
    }
}

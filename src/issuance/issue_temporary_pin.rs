//! IssueTemporaryPin: guard, register, one statement; the SMS goes out after the commit.

use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;

use super::verification_id::VerificationId;
use super::{CallContext, Dependency, Issuance, Refusal, language_of};
use crate::domain::channel::Channel;
use crate::domain::eligibility::{find_hold_denial, find_person_denials};
use crate::domain::language::Language;
use crate::domain::person::{Person, PersonKey, PersonReference, RegisteredMobile};
use crate::domain::pin::Pin;
use crate::domain::reason::{Denial, Reason};
use crate::guard::{Bucket, GuardDecision, Spend};
use crate::random;
use crate::sms::sealed_message::seal_message;
use crate::store::holds::access_requests;
use crate::store::issuing::PinRequestView;
use crate::store::issuing::{AccessProblem, IssueLimits, IssueOutcome, PinOrder, VerificationProblem, find_replay};
use crate::texts::SmsText;

/// How long to wait, again and again, for other orders of the same person that are under way.
const UNDER_WAY: [Duration; 4] =
    [Duration::from_millis(20), Duration::from_millis(50), Duration::from_millis(100), Duration::from_millis(200)];

/// An order for a PIN.
#[derive(Clone, Debug)]
pub struct IssueOrder {
    /// Idempotency key.
    pub request_id: Uuid,
    /// The verification, as the caller got it.
    pub verification_id: String,
    /// The language of the SMS, if not that of the profile.
    pub language: Option<Language>,
}

impl Issuance {
    /// Issues a PIN, sends the open one again, or returns it.
    ///
    /// A no of the guard is not the last word: a repeat of an earlier order and the resend of an open PIN cost no limit,
    /// and only the statement knows of them. It then runs with leave to do just these.
    pub async fn issue_temporary_pin(&self, call: &CallContext, order: &IssueOrder) -> Result<PinRequestView, Refusal> {
        let id = VerificationId::open(&order.verification_id, &self.keys, &call.caller, call.channel)?;
        let person = self.keys.person_key(id.person);
        let spends = self.spends(order, &id, person);
        // At the same time: a call costs the caller whatever becomes of the order.
        let (admitted, denied) =
            tokio::join!(self.admit_caller(&call.caller, call.now), self.ask_guard(call, person, &spends));
        let denied = denied?;
        if let (Err(_), None) = (&admitted, &denied) {
            self.refund(&spends, call.now).await;
        }
        admitted?;
        let mut outcome = self.issue(call, order, &id, denied.is_none()).await;
        for pause in UNDER_WAY {
            if !matches!((&outcome, &denied), (Ok(IssueOutcome::NotIssued), Some(denied)) if may_be_under_way(denied)) {
                break;
            }
            tokio::time::sleep(pause).await;
            outcome = self.issue(call, order, &id, false).await;
        }
        if denied.is_none() && !matches!(outcome, Ok(IssueOutcome::Issued(_))) {
            self.refund(&spends, call.now).await;
        }
        let no = |reason| Err(Refusal::lasting(reason));
        let wait = |reason, until| Err(Refusal::Precondition(vec![Denial::until(reason, until)]));
        match outcome? {
            IssueOutcome::Issued(view) => {
                self.metrics.count_issued_pin(call.channel);
                self.wake.notify_one();
                Ok(view)
            }
            IssueOutcome::Resent(view) => {
                self.wake.notify_one();
                Ok(view)
            }
            IssueOutcome::AlreadyOpen(view) | IssueOutcome::Replayed(view) => Ok(view),
            IssueOutcome::RequestIdReused => Err(Refusal::RequestIdReused),
            IssueOutcome::Verification(VerificationProblem::Unknown) => no(Reason::VerificationUnknown),
            IssueOutcome::Verification(VerificationProblem::NotConfirmed) => no(Reason::VerificationNotConfirmed),
            IssueOutcome::Verification(VerificationProblem::Expired) => no(Reason::VerificationExpired),
            IssueOutcome::Verification(VerificationProblem::Used) => no(Reason::VerificationUsed),
            IssueOutcome::Blocked => no(Reason::PersonBlocked),
            IssueOutcome::Access(AccessProblem::NotRequested) => no(Reason::AccessNotRequested),
            IssueOutcome::Access(AccessProblem::Running(hold)) => wait(Reason::HoldRunning, hold.eligible_time),
            IssueOutcome::Access(AccessProblem::Expired(_)) => no(Reason::AccessExpired),
            IssueOutcome::Access(AccessProblem::LoginAgain) => no(Reason::LoginAgain),
            IssueOutcome::PersonLimit { until } => Err(Refusal::Limited(Denial::until(Reason::PersonLimit, until))),
            IssueOutcome::MobileLimit { until } => Err(Refusal::Limited(Denial::until(Reason::MobileLimit, until))),
            IssueOutcome::NotIssued => {
                Err(denied.unwrap_or_else(|| Refusal::Internal("not issued, though the guard admitted".into())))
            }
        }
    }

    /// What one PIN costs (R22, R25). The person's and the mobile number's are spent once per request id.
    fn spends(&self, order: &IssueOrder, id: &VerificationId, person: PersonKey) -> Vec<Spend<'static>> {
        let limits = &self.rules.limits;
        let spend = |bucket, limit| Spend { bucket, limit, id: order.request_id };
        let mut spends = vec![
            spend(Bucket::PersonPins(person), limits.person_pins),
            spend(Bucket::MobilePins(id.mobile), limits.mobile_pins),
            spend(Bucket::ServicePins, limits.service_pins),
        ];
        spends.extend(id.agent.map(|agent| spend(Bucket::AgentPins(agent), limits.agent_pins)));
        spends
    }

    /// Spends it, or says why a new PIN may not be issued. A hold that Redis has lost is rebuilt from Postgres; one that
    /// it still has after its use is known better there.
    async fn ask_guard(
        &self,
        call: &CallContext,
        person: PersonKey,
        spends: &[Spend<'_>],
    ) -> Result<Option<Refusal>, Refusal> {
        let hold_of = (call.channel == Channel::Web).then_some(person);
        let mut admission = self.guard.check_and_spend(hold_of, spends, call.now).await?;
        if admission == GuardDecision::HoldMissing {
            let Some(hold) = access_requests::find_open(&self.store, person).await? else {
                return Ok(Some(Refusal::lasting(Reason::AccessNotRequested)));
            };
            self.guard.remember_hold(person, &hold, call.now).await?;
            if let Some(denial) = find_hold_denial(Some(&hold), call.now) {
                return Ok(Some(Refusal::Precondition(vec![denial])));
            }
            admission = self.guard.check_and_spend(hold_of, spends, call.now).await?;
        }
        Ok(match admission {
            GuardDecision::Allowed => None,
            GuardDecision::Limited { reason, until } => Some(Refusal::Limited(Denial::until(reason, until))),
            GuardDecision::HoldNotPassed(hold) => {
                find_hold_denial(Some(&hold), call.now).map(|no| Refusal::Precondition(vec![no]))
            }
            GuardDecision::HoldMissing => return Err(Refusal::Unavailable(Dependency::Redis)),
        })
    }

    /// Looks the person up, draws a PIN and runs the statement.
    async fn issue(
        &self,
        call: &CallContext,
        order: &IssueOrder,
        id: &VerificationId,
        may_issue: bool,
    ) -> Result<IssueOutcome, Refusal> {
        let digest = self.digest(order);
        let person = self.register.look_up_person(&PersonReference::Mitid(id.person)).await?;
        let (person, mobile) = match self.recipient(call, id, person.as_ref()) {
            Ok(recipient) => recipient,
            // A repeat of an order that went well is answered as then, whatever has become of the person since.
            Err(refusal) => {
                let first = find_replay(&self.store, &call.caller, order.request_id, digest).await?;
                return first.ok_or(refusal);
            }
        };
        let mut rng = random::secure();
        let pin = Pin::draw(&mut rng);
        let pin_request_id = random::time_ordered_uuid(call.now, &mut rng);
        let message_id = random::time_ordered_uuid(call.now, &mut rng);
        let text = SmsText::Pin { pin: &pin, expire_time: call.now + self.rules.pin.lifetime };
        let text = self.texts.render_sms(&text, language_of(order.language, person), &mobile.number);
        let order = PinOrder {
            caller: Arc::clone(&call.caller),
            request_id: order.request_id,
            payload_digest: digest,
            verification_id: id.verification,
            person: self.keys.person_key(id.person),
            keys: self.person_keys(person),
            mobile: id.mobile,
            channel: call.channel,
            agent: id.agent,
            now: call.now,
            pin_request_id,
            verifier: self.keys.make_pin_verifier(pin_request_id, &pin, &mut rng),
            lifetime: self.rules.pin.lifetime,
            masked_mobile_number: mobile.number.masked(),
            message_id,
            sealed_body: seal_message(&self.keys, message_id, &mobile.number, &text),
            may_issue,
            limits: IssueLimits {
                person_pins: self.rules.limits.person_pins,
                mobile_pins: self.rules.limits.mobile_pins,
                resend_interval: self.rules.pin.resend_interval,
                sends: self.rules.pin.sends,
            },
        };
        Ok(self.pin_issuer.issue(order).await?)
    }

    /// The person and number that the PIN would go to: still eligible, and still the number of the verification.
    fn recipient<'a>(
        &self,
        call: &CallContext,
        id: &VerificationId,
        person: Option<&'a Person>,
    ) -> Result<(&'a Person, &'a RegisteredMobile), Refusal> {
        let person = person.ok_or_else(|| Refusal::lasting(Reason::IdentityNotConfirmed))?;
        let denials = find_person_denials(person, call.channel, &self.rules.eligibility, call.now);
        let mobile = person.registered_mobile();
        match mobile {
            Some(mobile) if denials.is_empty() => {
                if self.keys.mobile_key(&mobile.number) != id.mobile {
                    return Err(Refusal::lasting(Reason::VerificationExpired));
                }
                Ok((person, mobile))
            }
            _ => Err(Refusal::Precondition(denials)),
        }
    }

    fn digest(&self, order: &IssueOrder) -> [u8; 32] {
        let language = order.language.map_or("", Language::code);
        self.keys.keyed_digest("IssueTemporaryPin", format!("{language}\n{}", order.verification_id).as_bytes())
    }
}

/// Redis counts orders that are under way and Postgres does not, an agent's repeats of one among them. So where Redis says
/// no and Postgres knows of no limit, one of them may be about to open the PIN that this order is then answered with.
fn may_be_under_way(denied: &Refusal) -> bool {
    matches!(denied.reason(), Reason::PersonLimit | Reason::MobileLimit | Reason::AgentLimit)
}

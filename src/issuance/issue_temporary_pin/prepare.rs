//! Prepares what the statement needs: the recipient, the payload digest, and a new PIN with its SMS.

use std::sync::Arc;

use super::{IssueTemporaryPin, VerificationId};
use crate::domain::eligibility::find_person_denials;
use crate::domain::language::Language;
use crate::domain::person::{Person, PersonReference, RegisteredMobile};
use crate::domain::pin::Pin;
use crate::domain::reason::Reason;
use crate::issuance::Refusal;
use crate::issuance::sms_composer::choose_language;
use crate::random;
use crate::store::issuing::{IssueLimits, PinOrder};
use crate::texts::SmsText;

/// The person and the mobile number that the PIN goes to.
pub(super) struct PinRecipient<'p> {
    person: &'p Person,
    mobile: &'p RegisteredMobile,
}

impl IssueTemporaryPin<'_> {
    /// The recipient, if the person is still eligible and the mobile number is still that of the verification.
    pub(super) fn find_recipient<'p>(
        &self,
        id: &VerificationId,
        person: Option<&'p Person>,
    ) -> Result<PinRecipient<'p>, Refusal> {
        let person = person.ok_or_else(|| Refusal::lasting(Reason::IdentityNotConfirmed))?;
        let denials = find_person_denials(person, self.call.channel, &self.rules.eligibility, self.call.now);
        match person.registered_mobile() {
            Some(mobile) if denials.is_empty() => {
                if self.keys.mobile_key(&mobile.number) != id.mobile {
                    return Err(Refusal::lasting(Reason::VerificationExpired));
                }
                Ok(PinRecipient { person, mobile })
            }
            _ => Err(Refusal::Precondition(denials)),
        }
    }

    /// Draws a PIN, writes its SMS, and builds the order for the statement.
    pub(super) fn build_pin_order(
        &self,
        id: &VerificationId,
        recipient: &PinRecipient<'_>,
        payload_digest: [u8; 32],
        may_issue: bool,
    ) -> PinOrder {
        let PinRecipient { person, mobile } = recipient;
        let (now, rules) = (self.call.now, self.rules);
        let mut rng = random::secure();
        let pin = Pin::draw(&mut rng);
        let pin_request_id = random::time_ordered_uuid(now, &mut rng);
        let message_id = random::time_ordered_uuid(now, &mut rng);
        let text = SmsText::Pin { pin: &pin, expire_time: now + rules.pin.lifetime };
        let language = choose_language(self.order.language, person);
        let reference = PersonReference::Mitid(id.person);
        PinOrder {
            caller: Arc::clone(&self.call.caller),
            request_id: self.order.request_id,
            payload_digest,
            verification_id: id.verification,
            person: self.keys.person_key(id.person),
            keys: self.keys.person_pseudonyms(Some(&reference), Some(person)).current,
            mobile: id.mobile,
            channel: self.call.channel,
            agent: id.agent,
            now,
            pin_request_id,
            verifier: self.keys.make_pin_verifier(pin_request_id, &pin, &mut rng),
            lifetime: rules.pin.lifetime,
            masked_mobile_number: mobile.number.masked(),
            message_id,
            sealed_body: self.sms_composer.compose(message_id, &text, language, &mobile.number),
            may_issue,
            limits: IssueLimits {
                person_pins: rules.limits.person_pins,
                mobile_pins: rules.limits.mobile_pins,
                resend_interval: rules.pin.resend_interval,
                sends: rules.pin.sends,
            },
        }
    }

    /// Keyed digest of the order. It tells a repeat from another order with the same request id.
    pub(super) fn digest_payload(&self) -> [u8; 32] {
        let language = self.order.language.map_or("", Language::code);
        self.keys.keyed_digest("IssueTemporaryPin", format!("{language}\n{}", self.order.verification_id).as_bytes())
    }
}

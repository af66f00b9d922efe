//! Step 1: who orders, whether the person is still eligible, and where the SMS goes.

use super::IssueTemporaryPin;
use crate::domain::eligibility::find_person_denials;
use crate::domain::language::Language;
use crate::domain::mobile::MobileNumber;
use crate::domain::person::{Person, PersonKey, PersonReference};
use crate::domain::reason::Reason;
use crate::issuance::Refusal;
use crate::issuance::sms_composer::choose_language;
use crate::issuance::verification_id::VerificationId;
use crate::store::issuing::{IssueOutcome, find_replay};

/// The result of the first step.
pub(super) enum Preparation {
    Ready(Box<PreparedOrder>),
    /// The person is not eligible any more, but the same request was answered before.
    Answered(IssueOutcome),
}

/// An order of an eligible person. It has no PIN yet.
pub(super) struct PreparedOrder {
    pub(super) id: VerificationId,
    pub(super) person: PersonKey,
    /// Every pseudonym of the person. A block may be stored under any of them.
    pub(super) keys: Vec<PersonKey>,
    /// The registered mobile number. It is still that of the verification.
    pub(super) mobile_number: MobileNumber,
    /// The language of the SMS.
    pub(super) language: Language,
    /// Keyed digest of the order. Tells a repeat from another order with the same request id.
    pub(super) payload_digest: [u8; 32],
}

impl IssueTemporaryPin<'_> {
    /// Opens the verification id, spends one call of the caller, and looks the person up in the register: once per call.
    pub(super) async fn prepare(&self) -> Result<Preparation, Refusal> {
        // The id names the person, the mobile number and the agent.
        let id = VerificationId::open(&self.order.verification_id, self.keys, &self.call.caller, self.call.channel)?;
        let reference = PersonReference::Mitid(id.person);
        let look_up = async { Ok(self.register.look_up_person(&reference).await?) };
        // At the same time. A caller over its limit ends the look-up.
        let ((), person) = tokio::try_join!(self.limiter.spend_caller_call(&self.call.caller, self.call.now), look_up)?;

        let payload_digest = self.digest_payload();
        match self.find_mobile_number(&id, person.as_ref()) {
            Ok((person, mobile_number)) => Ok(Preparation::Ready(Box::new(PreparedOrder {
                person: self.keys.person_key(id.person),
                keys: self.keys.person_pseudonyms(Some(&reference), Some(person)).current,
                mobile_number,
                language: choose_language(self.order.language, person),
                payload_digest,
                id,
            }))),
            Err(refusal) => {
                let replay = find_replay(self.store, &self.call.caller, self.order.request_id, payload_digest).await?;
                replay.map(Preparation::Answered).ok_or(refusal)
            }
        }
    }

    /// The registered mobile number, if the person is still eligible and the number is still that of the verification.
    fn find_mobile_number<'p>(
        &self,
        id: &VerificationId,
        person: Option<&'p Person>,
    ) -> Result<(&'p Person, MobileNumber), Refusal> {
        let person = person.ok_or_else(|| Refusal::lasting(Reason::IdentityNotConfirmed))?;
        let denials = find_person_denials(person, self.call.channel, &self.rules.eligibility, self.call.now);
        match person.registered_mobile() {
            Some(mobile) if denials.is_empty() => {
                if self.keys.mobile_key(&mobile.number) != id.mobile {
                    return Err(Refusal::lasting(Reason::VerificationExpired));
                }
                Ok((person, mobile.number.clone()))
            }
            _ => Err(Refusal::Precondition(denials)),
        }
    }

    fn digest_payload(&self) -> [u8; 32] {
        let language = self.order.language.map_or("", Language::code);
        self.keys.keyed_digest("IssueTemporaryPin", format!("{language}\n{}", self.order.verification_id).as_bytes())
    }
}

//! CheckEligibility: may this person have a PIN, where and when. Starts nothing.

use super::{Call, Issuance, Refusal};
use crate::domain::channel::Channel;
use crate::domain::eligibility::{Verdict, denials_with_hold};
use crate::domain::hold::Hold;
use crate::domain::person::{Person, PersonKey, PersonReference};
use crate::domain::reason::{Denial, Reason};
use crate::store::pin_requests::{self, PinRequestView};
use crate::store::{access_requests, verifications};

/// What a person can have.
#[derive(Clone, Debug)]
pub struct Eligibility {
    /// One entry per channel, in the order of [`Channel::ALL`].
    pub channels: Vec<ChannelEligibility>,
    /// The person's open access request.
    pub hold: Option<Hold>,
    /// The person's open PIN request.
    pub open_pin_request: Option<PinRequestView>,
}

/// The verdict for one channel.
#[derive(Clone, Debug)]
pub struct ChannelEligibility {
    /// The channel.
    pub channel: Channel,
    /// Yes, not yet or no.
    pub verdict: Verdict,
}

impl Issuance {
    /// Tells whether the person can have a PIN, per channel.
    pub async fn check_eligibility(&self, call: &Call, reference: &PersonReference) -> Result<Eligibility, Refusal> {
        self.admit_caller(&call.caller, call.now).await?;
        let Some(person) = self.register.look_up_person(reference).await? else {
            let unknown = || Verdict::from_denials(vec![Denial::lasting(Reason::IdentityNotConfirmed)]);
            let channels = Channel::ALL.map(|channel| ChannelEligibility { channel, verdict: unknown() }).into();
            return Ok(Eligibility { channels, hold: None, open_pin_request: None });
        };
        let key = self.person_key(reference, Some(&person));
        let blocked = self.block_denial(&person).await?;
        let hold = access_requests::current(&self.store, key).await?;
        let open_pin_request = pin_requests::open(&self.store, key, &self.rules.pin, call.now).await?;
        let limits = self.limits_of(key, &person, open_pin_request.is_some(), call).await?;
        let channels = Channel::ALL
            .map(|channel| {
                let rules = &self.rules.eligibility;
                let mut all = denials_with_hold(&person, channel, hold.as_ref(), rules, call.now);
                all.extend(blocked.iter().chain(&limits).copied());
                ChannelEligibility { channel, verdict: Verdict::from_denials(all) }
            })
            .into();
        Ok(Eligibility { channels, hold, open_pin_request })
    }

    /// The person's limits that are reached. An open PIN can be sent again whatever the limits on new ones.
    async fn limits_of(
        &self,
        key: PersonKey,
        person: &Person,
        open: bool,
        call: &Call,
    ) -> Result<Vec<Denial>, Refusal> {
        let limits = &self.rules.limits;
        let failed = verifications::limited_until(&self.store, key, limits.failed_verifications, call.now).await?;
        let mut reached: Vec<Denial> =
            failed.map(|until| Denial::until(Reason::VerificationLimit, until)).into_iter().collect();
        let mobile = person.mitid_account.as_ref().and_then(|account| account.mobile.as_ref());
        if let (false, Some(mobile)) = (open, mobile) {
            let mobile = self.keys.mobile_key(&mobile.number);
            let (person_pins, mobile_pins) = (limits.person_pins, limits.mobile_pins);
            let until = pin_requests::pins_until(&self.store, key, mobile, person_pins, mobile_pins, call.now).await?;
            reached.extend(until.person.map(|until| Denial::until(Reason::PersonLimit, until)));
            reached.extend(until.mobile.map(|until| Denial::until(Reason::MobileLimit, until)));
        }
        Ok(reached)
    }
}

//! CheckEligibility: may this person have a PIN, where and when. Starts nothing.

use super::{CallContext, Issuance, Refusal};
use crate::domain::channel::Channel;
use crate::domain::eligibility::{ChannelVerdict, find_all_denials};
use crate::domain::hold::Hold;
use crate::domain::person::PersonReference;
use crate::domain::reason::{Denial, Reason};
use crate::store::eligibility::{PersonQuery, PersonStatus};
use crate::store::issuing::PinRequestView;

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
    pub verdict: ChannelVerdict,
}

impl Issuance {
    /// Tells whether the person can have a PIN, per channel.
    pub async fn check_eligibility(
        &self,
        call: &CallContext,
        reference: &PersonReference,
    ) -> Result<Eligibility, Refusal> {
        self.admit_caller(&call.caller, call.now).await?;
        let Some(person) = self.register.look_up_person(reference).await? else {
            let unknown = || ChannelVerdict::from_denials(vec![Denial::lasting(Reason::IdentityNotConfirmed)]);
            let channels = Channel::ALL.map(|channel| ChannelEligibility { channel, verdict: unknown() }).into();
            return Ok(Eligibility { channels, hold: None, open_pin_request: None });
        };
        let mobile = person.registered_mobile();
        let query = PersonQuery {
            person: self.person_key(reference, Some(&person)),
            keys: self.person_keys(&person),
            mobile: mobile.map(|mobile| self.keys.mobile_key(&mobile.number)),
            now: call.now,
        };
        let standing = self.person_status.read(query).await?;
        let on_record = denials_on_record(&standing, mobile.is_some());
        let channels = Channel::ALL
            .map(|channel| {
                let rules = &self.rules.eligibility;
                let mut all = find_all_denials(&person, channel, standing.hold.as_ref(), rules, call.now);
                all.extend(&on_record);
                ChannelEligibility { channel, verdict: ChannelVerdict::from_denials(all) }
            })
            .into();
        Ok(Eligibility { channels, hold: standing.hold, open_pin_request: standing.open_pin_request })
    }
}

/// A block, and the limits that are reached. An open PIN can be sent again whatever the limits on new ones.
fn denials_on_record(standing: &PersonStatus, has_mobile: bool) -> Vec<Denial> {
    let until = |reason, until: Option<_>| until.map(|until| Denial::until(reason, until));
    let mut denials = Vec::new();
    denials.extend(standing.is_blocked.then(|| Denial::lasting(Reason::PersonBlocked)));
    denials.extend(until(Reason::VerificationLimit, standing.failed_until));
    if has_mobile && standing.open_pin_request.is_none() {
        denials.extend(until(Reason::PersonLimit, standing.person_until));
        denials.extend(until(Reason::MobileLimit, standing.mobile_until));
    }
    denials
}

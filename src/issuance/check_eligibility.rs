//! CheckEligibility: in which channels the person can get a PIN, and when. Starts nothing.

use chrono::{DateTime, Utc};

use super::limiter::Limiter;
use super::{CallContext, Dependencies, Refusal};
use crate::domain::channel::Channel;
use crate::domain::eligibility::{ChannelVerdict, find_all_denials};
use crate::domain::hold::Hold;
use crate::domain::person::{Person, PersonReference};
use crate::domain::question::find_question_denial;
use crate::domain::question_memory::find_remembered_kinds;
use crate::domain::reason::{Denial, Reason};
use crate::domain::rule_settings::Rules;
use crate::keys::KeyRing;
use crate::register::Register;
use crate::store::eligibility::{PersonQuery, PersonStatus, PersonStatusReader};
use crate::store::issuing::PinRequestView;

/// What a person can get.
#[derive(Clone, Debug)]
pub struct Eligibility {
    /// One entry per channel, in the order of [`Channel::ALL`].
    pub channels: Vec<ChannelEligibility>,
    /// The hold of the person's open access request.
    pub hold: Option<Hold>,
    /// The person's open PIN request.
    pub open_pin_request: Option<PinRequestView>,
}

/// The verdict for one channel.
#[derive(Clone, Debug)]
pub struct ChannelEligibility {
    /// The channel.
    pub channel: Channel,
    /// Eligible, not yet eligible, or not eligible.
    pub verdict: ChannelVerdict,
    /// Counter: why no questions can be asked now. A witness can vouch nevertheless.
    pub question_denials: Vec<Denial>,
}

/// The use case, with what it needs.
pub(super) struct CheckEligibility<'a> {
    limiter: Limiter<'a>,
    register: &'a Register,
    keys: &'a KeyRing,
    rules: &'a Rules,
    person_status: &'a PersonStatusReader,
}

impl<'a> CheckEligibility<'a> {
    pub(super) fn new(dependencies: &'a Dependencies, keys: &'a KeyRing) -> Self {
        Self {
            limiter: Limiter::new(dependencies),
            register: &dependencies.register,
            keys,
            rules: &dependencies.rules,
            person_status: &dependencies.person_status,
        }
    }

    pub(super) async fn run(&self, call: &CallContext, reference: &PersonReference) -> Result<Eligibility, Refusal> {
        self.limiter.spend_caller_call(&call.caller, call.now).await?;
        let Some(person) = self.register.look_up_person(reference).await? else {
            return Ok(unknown_person());
        };
        let mobile = person.registered_mobile();
        let pseudonyms = self.keys.person_pseudonyms(Some(reference), Some(&person));
        let query = PersonQuery {
            person: pseudonyms.primary(),
            keys: pseudonyms.current,
            mobile: mobile.map(|mobile| self.keys.mobile_key(&mobile.number)),
            now: call.now,
        };
        let status = self.person_status.read(query).await?;
        let status_denials = find_status_denials(&status, mobile.is_some());
        let channels = Channel::ALL
            .map(|channel| {
                let (hold, rules) = (status.hold.as_ref(), &self.rules.eligibility);
                let mut denials = find_all_denials(&person, channel, hold, rules, call.now);
                denials.extend(&status_denials);
                // A person who can never have a PIN here is never asked anything.
                let may_be_asked = denials.iter().all(|denial| denial.until.is_some());
                let question_denials = if may_be_asked {
                    self.find_question_denials(&person, &status, channel, call.now)
                } else {
                    Vec::new()
                };
                match channel {
                    Channel::Web => ChannelEligibility::new(channel, denials, Vec::new()),
                    Channel::Phone => {
                        denials.extend(question_denials);
                        ChannelEligibility::new(channel, denials, Vec::new())
                    }
                    Channel::Counter => ChannelEligibility::new(channel, denials, question_denials),
                }
            })
            .into();
        Ok(Eligibility { channels, hold: status.hold, open_pin_request: status.open_pin_request })
    }
}

impl ChannelEligibility {
    fn new(channel: Channel, denials: Vec<Denial>, question_denials: Vec<Denial>) -> Self {
        Self { channel, verdict: ChannelVerdict::from_denials(denials), question_denials }
    }
}

impl CheckEligibility<'_> {
    /// What a try to ask questions in this channel would meet: too many failed verifications (R18), and too few kinds of fact
    /// that can be asked about now (R16).
    fn find_question_denials(
        &self,
        person: &Person,
        status: &PersonStatus,
        channel: Channel,
        now: DateTime<Utc>,
    ) -> Vec<Denial> {
        let failed_until = match channel {
            Channel::Web => return Vec::new(),
            Channel::Phone => status.failed_phone_until,
            Channel::Counter => status.failed_counter_until,
        };
        let limit = failed_until.map(|until| Denial::until(Reason::VerificationLimit, until));
        let remembered = find_remembered_kinds(&status.unsuccessful_runs, &self.rules.verification, now);
        let too_few = find_question_denial(&person.facts, person.protected, &remembered);
        limit.into_iter().chain(too_few).collect()
    }
}

/// The answer about a person whom the register does not know.
fn unknown_person() -> Eligibility {
    let denials = || vec![Denial::lasting(Reason::IdentityNotConfirmed)];
    let channels = Channel::ALL.map(|channel| ChannelEligibility::new(channel, denials(), Vec::new())).into();
    Eligibility { channels, hold: None, open_pin_request: None }
}

/// The denials that Postgres knows of: a block, and the limits that are reached. The limits on new PINs do not count while
/// a PIN is open, because an open PIN can be sent again.
fn find_status_denials(status: &PersonStatus, has_mobile: bool) -> Vec<Denial> {
    let until = |reason, until: Option<_>| until.map(|until| Denial::until(reason, until));
    let mut denials = Vec::new();
    denials.extend(status.is_blocked.then(|| Denial::lasting(Reason::PersonBlocked)));
    // Also while a PIN is open: it could not be redeemed.
    denials.extend(until(Reason::WrongTryLimit, status.wrong_tries_until));
    if has_mobile && status.open_pin_request.is_none() {
        denials.extend(until(Reason::PersonLimit, status.person_until));
        denials.extend(until(Reason::MobileLimit, status.mobile_until));
    }
    denials
}

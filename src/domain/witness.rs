//! Witnesses at the counter (R20).

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::calendar::{add_saturating, age_on, date_in_copenhagen};
use super::channel::Channel;
use super::eligibility::find_cpr_denial;
use super::person::{Person, PersonReference};
use super::rule_settings::VerificationRules;

/// R20: how often a witness may vouch.
#[derive(Clone, Copy, Debug)]
pub struct WitnessLimits {
    /// The rolling window of all figures.
    pub window: Duration,
    /// How often a person may vouch in the window. `None`: a professional witness, as often as needed.
    pub times: Option<u32>,
}

/// What is on record about a witness and a person in the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VouchingHistory {
    /// How often the witness has vouched, for anybody.
    pub uses: u32,
    /// Whether the person has vouched for the witness.
    pub has_person_vouched: bool,
}

impl VouchingHistory {
    /// R20: whether the witness may vouch for the person once more. Two persons never vouch for each other.
    #[must_use]
    pub fn allows_another(&self, limits: &WitnessLimits) -> bool {
        !self.has_person_vouched && limits.times.is_none_or(|times| self.uses < times)
    }
}

/// R20: whether the witness may vouch for the person now. The login, the document and the history of the witness are checked
/// elsewhere ([`super::document_acceptance::judge_witness_document`], [`VouchingHistory::allows_another`]).
///
/// `clerk`: the person who the clerk is. If that is not known, the clerk may be the witness; that is on record and no obstacle.
/// `destinations`: where an SMS may go (R14). A witness who cannot get an SMS may not vouch.
#[must_use]
pub fn may_witness(
    witness: &Person,
    person: &Person,
    clerk: Option<&PersonReference>,
    rules: &VerificationRules,
    destinations: &[u16],
    now: DateTime<Utc>,
) -> bool {
    let Some(account) = witness.mitid_account.as_ref().filter(|account| account.active) else { return false };
    let is_long_enrolled =
        account.enrolment_time.is_some_and(|time| add_saturating(time, rules.witness_enrolment) < now);
    let is_of_age = age_on(witness.birth_date.latest(), date_in_copenhagen(now)) >= rules.witness_minimum_age;
    let is_clerk = clerk.is_some_and(|clerk| witness.is_named_by(clerk));
    let can_be_told = account.mobile.as_ref().is_some_and(|mobile| mobile.number.is_allowed(destinations));
    // A person who is dead or has disappeared, or whose CPR number is not valid, cannot be a witness.
    let has_valid_cpr = find_cpr_denial(witness, Channel::Counter).is_none();
    is_long_enrolled && is_of_age && has_valid_cpr && can_be_told && !is_clerk && !witness.is_same_as(person)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use uuid::Uuid;

    use super::super::birth_date::BirthDate;
    use super::super::cpr::CprStatus;
    use super::super::fixture::{account, another_person, at, person};
    use super::super::mobile::MobileNumber;
    use super::super::person::MitidUuid;
    use super::*;

    const CLERK: PersonReference = PersonReference::Mitid(MitidUuid(Uuid::from_u128(3)));

    fn born(date: &str) -> BirthDate {
        BirthDate::parse(date, true).unwrap()
    }

    fn may_vouch(change: impl FnOnce(&mut Person), clerk: Option<PersonReference>) -> bool {
        let mut witness = another_person();
        change(&mut witness);
        let (rules, now) = (VerificationRules::default(), at("2026-11-23T12:00:00Z"));
        may_witness(&witness, &person(), clerk.as_ref(), &rules, &[45, 299], now)
    }

    #[rstest]
    #[case::an_adult(|_: &mut Person| {}, true)]
    #[case::eighteen_today(|it: &mut Person| it.birth_date = born("2008-11-23"), true)]
    #[case::eighteen_tomorrow(|it: &mut Person| it.birth_date = born("2008-11-24"), false)]
    #[case::perhaps_seventeen(|it: &mut Person| it.birth_date = born("2008-11-00"), false)]
    #[case::born_in_an_unknown_month(|it: &mut Person| it.birth_date = born("2007-00-00"), true)]
    #[case::mitid_for_30_days(|it: &mut Person| enrolled(it, "2026-10-24T12:00:00Z"), false)]
    #[case::mitid_for_longer(|it: &mut Person| enrolled(it, "2026-10-24T11:59:59Z"), true)]
    #[case::mitid_since_unknown_time(|it: &mut Person| account(it).enrolment_time = None, false)]
    #[case::mitid_blocked(|it: &mut Person| account(it).active = false, false)]
    #[case::no_mitid(|it: &mut Person| it.mitid_account = None, false)]
    #[case::emigrated(|it: &mut Person| it.cpr_status = Some(CprStatus::Emigrated), true)]
    #[case::dead(|it: &mut Person| it.cpr_status = Some(CprStatus::Dead), false)]
    #[case::disappeared(|it: &mut Person| it.cpr_status = Some(CprStatus::Disappeared), false)]
    #[case::the_person(|it: &mut Person| *it = person(), false)]
    #[case::the_person_by_mitid(|it: &mut Person| account(it).mitid_uuid = MitidUuid(Uuid::from_u128(1)), false)]
    #[case::the_person_by_cpr_number(|it: &mut Person| it.cpr_number = person().cpr_number, false)]
    #[case::no_mobile_number(|it: &mut Person| account(it).mobile = None, false)]
    #[case::a_number_that_gets_no_sms(|it: &mut Person| number(it, "+46701234567"), false)]
    #[case::without_cpr_number(|it: &mut Person| (it.cpr_number, it.cpr_status) = (None, None), true)]
    fn r20_who_may_witness(#[case] change: impl FnOnce(&mut Person), #[case] expected: bool) {
        assert_eq!(may_vouch(change, Some(CLERK)), expected);
    }

    #[rstest]
    #[case::another_clerk(Some(CLERK), true)]
    #[case::the_clerk(Some(PersonReference::Mitid(MitidUuid(Uuid::from_u128(2)))), false)]
    #[case::the_clerk_by_cpr_number(another_person().cpr_number.map(PersonReference::Cpr), false)]
    #[case::an_unknown_clerk(None, true)]
    fn r20_the_witness_is_not_the_clerk(#[case] clerk: Option<PersonReference>, #[case] expected: bool) {
        assert_eq!(may_vouch(|_| {}, clerk), expected);
    }

    #[rstest]
    #[case::third_time(2, false, Some(3), true)]
    #[case::fourth_time(3, false, Some(3), false)]
    #[case::a_professional_witness(30, false, None, true)]
    #[case::the_person_vouched_for_the_witness(0, true, Some(3), false)]
    #[case::and_the_witness_is_professional(0, true, None, false)]
    fn r20_a_witness_serves_three_times_and_two_persons_do_not_vouch_for_each_other(
        #[case] uses: u32,
        #[case] has_person_vouched: bool,
        #[case] times: Option<u32>,
        #[case] expected: bool,
    ) {
        let limits = WitnessLimits { window: VerificationRules::default().witness_window, times };
        assert_eq!(VouchingHistory { uses, has_person_vouched }.allows_another(&limits), expected);
    }

    fn number(witness: &mut Person, number: &str) {
        account(witness).mobile.as_mut().unwrap().number = MobileNumber::parse(number).unwrap();
    }

    fn enrolled(witness: &mut Person, time: &str) {
        account(witness).enrolment_time = Some(at(time));
    }
}

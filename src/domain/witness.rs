//! Witnesses at the counter (R20).

use chrono::{DateTime, Utc};

use super::calendar::{add_saturating, age_on, date_in_copenhagen};
use super::channel::Channel;
use super::eligibility::find_cpr_denial;
use super::person::{MitidUuid, Person};
use super::rule_settings::VerificationRules;

/// R20: whether the witness may vouch for the person now. The witness's document is checked elsewhere
/// ([`super::document::judge_document`]).
///
/// `clerk`: the MitID account of the clerk. If it is not known, the clerk could be the witness, so the result is `false`.
/// `uses`: how often the witness has vouched within `rules.witness_window`.
#[must_use]
pub fn may_witness(
    witness: &Person,
    person: &Person,
    clerk: Option<MitidUuid>,
    uses: u32,
    rules: &VerificationRules,
    now: DateTime<Utc>,
) -> bool {
    let Some(account) = witness.mitid_account.as_ref().filter(|account| account.active) else { return false };
    let is_long_enrolled =
        account.enrolment_time.is_some_and(|time| add_saturating(time, rules.witness_enrolment) < now);
    let is_of_age = age_on(witness.birth_date.latest(), date_in_copenhagen(now)) >= rules.witness_minimum_age;
    let is_clerk = clerk.is_none_or(|clerk| clerk == account.mitid_uuid);
    // A person who is dead or has disappeared, or whose CPR number is not valid, cannot be a witness.
    let has_valid_cpr = find_cpr_denial(witness, Channel::Counter).is_none();
    is_long_enrolled
        && is_of_age
        && has_valid_cpr
        && !is_clerk
        && !witness.is_same_as(person)
        && uses < rules.witness_times
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use uuid::Uuid;

    use super::super::birth_date::BirthDate;
    use super::super::cpr::CprStatus;
    use super::super::fixture::{account, another_person, at, person};
    use super::*;

    const CLERK: MitidUuid = MitidUuid(Uuid::from_u128(3));

    fn born(date: &str) -> BirthDate {
        BirthDate::parse(date, true).unwrap()
    }

    fn may_vouch(change: impl FnOnce(&mut Person), clerk: Option<MitidUuid>, uses: u32) -> bool {
        let mut witness = another_person();
        change(&mut witness);
        may_witness(&witness, &person(), clerk, uses, &VerificationRules::default(), at("2026-11-23T12:00:00Z"))
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
    #[case::without_cpr_number(|it: &mut Person| (it.cpr_number, it.cpr_status) = (None, None), true)]
    fn r20_who_may_witness(#[case] change: impl FnOnce(&mut Person), #[case] expected: bool) {
        assert_eq!(may_vouch(change, Some(CLERK), 0), expected);
    }

    #[rstest]
    #[case::third_time(Some(CLERK), 2, true)]
    #[case::fourth_time(Some(CLERK), 3, false)]
    #[case::the_clerk(Some(MitidUuid(Uuid::from_u128(2))), 0, false)]
    #[case::an_unknown_clerk(None, 0, false)]
    fn r20_a_witness_serves_three_times_and_is_not_the_clerk(
        #[case] clerk: Option<MitidUuid>,
        #[case] uses: u32,
        #[case] expected: bool,
    ) {
        assert_eq!(may_vouch(|_| {}, clerk, uses), expected);
    }

    fn enrolled(witness: &mut Person, time: &str) {
        account(witness).enrolment_time = Some(at(time));
    }
}

//! Witnesses at the counter (R20).

use chrono::{DateTime, Utc};

use super::calendar::{add_saturating, age_on, date_in_copenhagen};
use super::channel::Channel;
use super::eligibility::cpr_denial;
use super::person::{MitidUuid, Person};
use super::rules::VerificationRules;

/// R20: whether the witness may vouch for the person now. The witness's document is judged apart from this.
///
/// `clerk` is the clerk's own MitID; when it is not known, nobody can tell that the clerk is not the witness, so the
/// answer is no. `uses`: how often the witness has vouched within `rules.witness_window`.
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
    let long_enrolled = account.enrolment_time.is_some_and(|time| add_saturating(time, rules.witness_enrolment) < now);
    let of_age = age_on(witness.birth_date, date_in_copenhagen(now)) >= rules.witness_minimum_age;
    let is_clerk = clerk.is_none_or(|clerk| clerk == account.mitid_uuid);
    // The dead, the disappeared and numbers that are nobody's vouch for nobody.
    let exists = cpr_denial(witness, Channel::Counter).is_none();
    long_enrolled && of_age && exists && !is_clerk && !witness.is_same_as(person) && uses < rules.witness_times
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use uuid::Uuid;

    use super::super::cpr::CprStatus;
    use super::super::fixture::{account, at, day, person, somebody_else};
    use super::*;

    const CLERK: MitidUuid = MitidUuid(Uuid::from_u128(3));

    fn serves(change: impl FnOnce(&mut Person), clerk: Option<MitidUuid>, uses: u32) -> bool {
        let mut witness = somebody_else();
        change(&mut witness);
        may_witness(&witness, &person(), clerk, uses, &VerificationRules::default(), at("2026-11-23T12:00:00Z"))
    }

    #[rstest]
    #[case::adult(|_: &mut Person| {}, true)]
    #[case::eighteen_today(|it: &mut Person| it.birth_date = day("2008-11-23"), true)]
    #[case::eighteen_tomorrow(|it: &mut Person| it.birth_date = day("2008-11-24"), false)]
    #[case::mitid_for_30_days(|it: &mut Person| enrolled(it, "2026-10-24T12:00:00Z"), false)]
    #[case::mitid_for_longer(|it: &mut Person| enrolled(it, "2026-10-24T11:59:59Z"), true)]
    #[case::mitid_since_nobody_knows(|it: &mut Person| account(it).enrolment_time = None, false)]
    #[case::mitid_blocked(|it: &mut Person| account(it).active = false, false)]
    #[case::no_mitid(|it: &mut Person| it.mitid_account = None, false)]
    #[case::emigrated(|it: &mut Person| it.cpr_status = Some(CprStatus::Emigrated), true)]
    #[case::dead(|it: &mut Person| it.cpr_status = Some(CprStatus::Dead), false)]
    #[case::disappeared(|it: &mut Person| it.cpr_status = Some(CprStatus::Disappeared), false)]
    #[case::the_person(|it: &mut Person| *it = person(), false)]
    #[case::the_person_by_mitid(|it: &mut Person| account(it).mitid_uuid = MitidUuid(Uuid::from_u128(1)), false)]
    #[case::the_person_by_cpr_number(|it: &mut Person| it.cpr_number = person().cpr_number, false)]
    #[case::without_cpr_number(|it: &mut Person| (it.cpr_number, it.cpr_status) = (None, None), true)]
    fn r20_who_may_witness(#[case] change: impl FnOnce(&mut Person), #[case] serves_as_witness: bool) {
        assert_eq!(serves(change, Some(CLERK), 0), serves_as_witness);
    }

    #[rstest]
    #[case::third_time(Some(CLERK), 2, true)]
    #[case::fourth_time(Some(CLERK), 3, false)]
    #[case::the_clerk(Some(MitidUuid(Uuid::from_u128(2))), 0, false)]
    #[case::clerk_not_known(None, 0, false)]
    fn r20_three_times_and_never_the_clerk(
        #[case] clerk: Option<MitidUuid>,
        #[case] uses: u32,
        #[case] serves_as_witness: bool,
    ) {
        assert_eq!(serves(|_| {}, clerk, uses), serves_as_witness);
    }

    fn enrolled(witness: &mut Person, time: &str) {
        account(witness).enrolment_time = Some(at(time));
    }
}

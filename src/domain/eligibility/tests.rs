use rstest::rstest;

use super::super::birth_date::BirthDate;
use super::super::fixture::{account, at, day, person};
use super::super::hold::HoldRules;
use super::super::mobile::MobileNumber;
use super::Channel::{Counter, Phone, Web};
use super::*;

const NOW: &str = "2026-11-23T12:00:00Z";

fn reasons(person: &Person, channel: Channel) -> Vec<Reason> {
    find_person_denials(person, channel, &EligibilityRules::default(), at(NOW))
        .into_iter()
        .map(|denial| denial.reason)
        .collect()
}

#[test]
fn an_ordinary_person_has_no_denials() {
    for channel in Channel::ALL {
        assert_eq!(reasons(&person(), channel), []);
    }
}

#[rstest]
#[case::changed_yesterday(Some("2026-11-22T12:00:00Z"), Some("2026-11-27T12:00:00Z"))]
#[case::just_under_120_hours_ago(Some("2026-11-18T12:00:00.000001Z"), Some("2026-11-23T12:00:00.000001Z"))]
#[case::exactly_120_hours_ago(Some("2026-11-18T12:00:00Z"), None)]
#[case::in_the_future(Some("2026-11-23T13:00:00Z"), Some("2026-11-28T13:00:00Z"))]
#[case::at_an_unknown_time(None, Some("2026-11-28T12:00:00Z"))]
fn r10_a_mobile_number_changed_within_120_hours_is_denied_except_at_the_counter(
    #[case] change_time: Option<&str>,
    #[case] until: Option<&str>,
) {
    let mut person = person();
    account(&mut person).mobile.as_mut().unwrap().change_time = change_time.map(at);
    let until = until.map(|until| Denial::until(Reason::MobileNumberChangedRecently, at(until)));
    let rules = EligibilityRules::default();
    assert_eq!(find_person_denials(&person, Phone, &rules, at(NOW)), Vec::from_iter(until));
    assert_eq!(find_person_denials(&person, Web, &rules, at(NOW)), Vec::from_iter(until));
    assert_eq!(find_person_denials(&person, Counter, &rules, at(NOW)), []);
}

#[test]
fn r10_the_channels_of_the_quarantine_are_configurable() {
    let mut person = person();
    account(&mut person).mobile.as_mut().unwrap().change_time = Some(at(NOW));
    let rules = EligibilityRules { mobile_quarantine_channels: vec![Phone], ..EligibilityRules::default() };
    assert_eq!(find_person_denials(&person, Web, &rules, at(NOW)), []);
    assert_eq!(find_person_denials(&person, Phone, &rules, at(NOW)).len(), 1);
}

#[rstest]
#[case::twelve("2013-11-24", Some("2026-11-23T23:00:00Z"))]
#[case::thirteen_today("2013-11-23", None)]
#[case::not_yet_born("2030-07-01", Some("2043-06-30T22:00:00Z"))]
fn r11_a_person_under_13_is_denied_until_the_birthday(#[case] birth_date: &str, #[case] until: Option<&str>) {
    let mut person = person();
    person.birth_date = day(birth_date).into();
    let until = until.map(|until| Denial::until(Reason::TooYoung, at(until)));
    for channel in Channel::ALL {
        assert_eq!(find_person_denials(&person, channel, &EligibilityRules::default(), at(NOW)), Vec::from_iter(until));
    }
}

#[rstest]
#[case("01", None, None)]
#[case("03", None, None)]
#[case("05", None, None)]
#[case("07", None, None)]
#[case("20", Some(Reason::CounterOnly), None)]
#[case("80", Some(Reason::CounterOnly), None)]
#[case("10", Some(Reason::CprNumberNotValid), Some(Reason::CprNumberNotValid))]
#[case("30", Some(Reason::CprNumberNotValid), Some(Reason::CprNumberNotValid))]
#[case("50", Some(Reason::CprNumberNotValid), Some(Reason::CprNumberNotValid))]
#[case("60", Some(Reason::CprNumberNotValid), Some(Reason::CprNumberNotValid))]
#[case("70", Some(Reason::PersonDisappeared), Some(Reason::PersonDisappeared))]
#[case("90", Some(Reason::PersonDead), Some(Reason::PersonDead))]
#[case("97", Some(Reason::CprStatusUnclear), None)]
#[case("99", Some(Reason::CprStatusUnclear), None)]
#[case::not_known("42", Some(Reason::CprStatusUnclear), None)]
fn r12_the_cpr_status_decides(
    #[case] code: &str,
    #[case] elsewhere: Option<Reason>,
    #[case] at_counter: Option<Reason>,
) {
    let mut person = person();
    person.cpr_status = Some(CprStatus::from_code(code));
    assert_eq!(reasons(&person, Web), Vec::from_iter(elsewhere));
    assert_eq!(reasons(&person, Phone), Vec::from_iter(elsewhere));
    assert_eq!(reasons(&person, Counter), Vec::from_iter(at_counter));
}

#[test]
fn r12_a_cpr_number_without_a_status_is_not_valid() {
    let mut person = person();
    person.cpr_status = None;
    assert_eq!(reasons(&person, Counter), [Reason::CprNumberNotValid]);
}

#[rstest]
#[case::credit_warning(|it: &mut Person| it.credit_warning = true)]
#[case::marked_uncertain(|it: &mut Person| it.birth_date = born("1980-01-01", false))]
#[case::day_unknown(|it: &mut Person| it.birth_date = born("1980-01-00", true))]
#[case::month_unknown(|it: &mut Person| it.birth_date = born("1980-00-00", true))]
fn r12_a_credit_warning_and_an_uncertain_birth_date_lead_to_the_counter(#[case] change: fn(&mut Person)) {
    let mut person = person();
    change(&mut person);
    assert_eq!(reasons(&person, Web), [Reason::InPersonOnly]);
    assert_eq!(reasons(&person, Phone), [Reason::InPersonOnly]);
    assert_eq!(reasons(&person, Counter), []);
}

#[rstest]
#[case::day_unknown("2013-11-00", Some("2026-11-29T23:00:00Z"))]
#[case::month_unknown("2013-00-00", Some("2026-12-30T23:00:00Z"))]
#[case::surely_old_enough("2012-00-00", None)]
fn r11_the_youngest_possible_reading_of_a_birth_date_counts(#[case] birth_date: &str, #[case] until: Option<&str>) {
    let mut person = person();
    person.birth_date = born(birth_date, true);
    let until = until.map(|until| Denial::until(Reason::TooYoung, at(until)));
    assert_eq!(find_person_denials(&person, Counter, &EligibilityRules::default(), at(NOW)), Vec::from_iter(until));
}

fn born(date: &str, is_marked_certain: bool) -> BirthDate {
    BirthDate::parse(date, is_marked_certain).unwrap()
}

#[test]
fn r12_a_replacement_number_is_denied_and_a_missing_number_is_not() {
    let mut person = person();
    person.cpr_number = CprNumber::parse("6101801234").ok();
    assert_eq!(reasons(&person, Counter), [Reason::CprNumberNotValid]);
    (person.cpr_number, person.cpr_status) = (None, None);
    assert_eq!(reasons(&person, Web), []);
}

#[test]
fn r12_the_mitid_account_must_be_active() {
    let mut person = person();
    account(&mut person).active = false;
    assert_eq!(reasons(&person, Counter), [Reason::MitidNotActive]);
    person.mitid_account = None;
    assert_eq!(reasons(&person, Counter), [Reason::MitidNotActive]);
}

#[test]
fn r13_a_missing_mobile_number_is_denied_on_every_channel() {
    let mut person = person();
    account(&mut person).mobile = None;
    for channel in Channel::ALL {
        assert_eq!(reasons(&person, channel), [Reason::NoMobileNumber]);
    }
}

#[rstest]
#[case::greenland("+299521234", &[])]
#[case::faroes("+298211234", &[])]
#[case::sweden("+46701234567", &[Reason::MobileNumberNotAllowed])]
#[case::premium("+4590123456", &[Reason::MobileNumberNotAllowed])]
fn r14_destinations_are_checked_on_every_channel(#[case] number: &str, #[case] expected: &[Reason]) {
    let mut person = person();
    account(&mut person).mobile.as_mut().unwrap().number = MobileNumber::parse(number).unwrap();
    for channel in Channel::ALL {
        assert_eq!(reasons(&person, channel), expected);
    }
}

#[test]
fn reasons_come_in_a_fixed_order() {
    let mut person = person();
    person.cpr_status = Some(CprStatus::Emigrated);
    person.birth_date = day("2020-01-01").into();
    account(&mut person).active = false;
    account(&mut person).mobile =
        Some(RegisteredMobile { number: MobileNumber::parse("+46701234567").unwrap(), change_time: None });
    let expected = [
        Reason::CounterOnly,
        Reason::TooYoung,
        Reason::MitidNotActive,
        Reason::MobileNumberNotAllowed,
        Reason::MobileNumberChangedRecently,
    ];
    assert_eq!(reasons(&person, Web), expected);
}

#[rstest]
#[case::never_requested(None, Some(Denial::lasting(Reason::AccessNotRequested)))]
#[case::running(Some("2026-11-22T12:00:01Z"), Some(Denial::until(Reason::HoldRunning, at("2026-11-23T12:00:01Z"))))]
#[case::passed(Some("2026-11-22T12:00:00Z"), None)]
#[case::window_closed(Some("2026-11-21T12:00:00Z"), Some(Denial::lasting(Reason::AccessExpired)))]
fn r6_r7_the_hold_must_have_passed_and_not_expired(
    #[case] request_time: Option<&str>,
    #[case] expected: Option<Denial>,
) {
    let hold = request_time.map(|time| Hold::start(at(time), &HoldRules::default()));
    assert_eq!(find_hold_denial(hold.as_ref(), at(NOW)), expected);
}

#[rstest]
#[case::none(&[], EligibilityStatus::Eligible, None)]
#[case::lasting(&[Denial::lasting(Reason::NoMobileNumber)], EligibilityStatus::NotEligible, None)]
#[case::lasting_outweighs_waiting(
    &[Denial::until(Reason::TooYoung, at("2027-01-01T00:00:00Z")), Denial::lasting(Reason::PersonDead)],
    EligibilityStatus::NotEligible,
    None
)]
#[case::the_longest_wait_counts(
    &[
        Denial::until(Reason::HoldRunning, at("2026-11-24T00:00:00Z")),
        Denial::until(Reason::MobileNumberChangedRecently, at("2026-11-27T00:00:00Z")),
        Denial::until(Reason::PersonLimit, at("2026-11-25T00:00:00Z")),
    ],
    EligibilityStatus::NotYet,
    Some("2026-11-27T00:00:00Z")
)]
#[case::a_login_lifts_it(&[Denial::lasting(Reason::AccessNotRequested)], EligibilityStatus::NotYet, None)]
#[case::a_new_request_lifts_it(&[Denial::lasting(Reason::AccessExpired)], EligibilityStatus::NotYet, None)]
#[case::a_login_and_waiting(
    &[
        Denial::until(Reason::MobileNumberChangedRecently, at("2026-11-27T00:00:00Z")),
        Denial::lasting(Reason::AccessNotRequested),
    ],
    EligibilityStatus::NotYet,
    Some("2026-11-27T00:00:00Z")
)]
fn a_verdict_summarizes_the_denials(
    #[case] denials: &[Denial],
    #[case] status: EligibilityStatus,
    #[case] next_attempt_time: Option<&str>,
) {
    let verdict = ChannelVerdict::from_denials(denials.to_vec());
    assert_eq!(verdict.status, status);
    assert_eq!(verdict.next_attempt_time, next_attempt_time.map(at));
    assert!(verdict.reasons.iter().eq(denials.iter().map(|denial| &denial.reason)));
}

use chrono::TimeDelta;
use rstest::rstest;

use super::super::fixture::at;
use super::*;

const DAY: Duration = Duration::from_secs(24 * 3600);
const RULES: RedemptionRules = RedemptionRules { tries_per_pin: 3, wrong_tries: Limit { times: 10, per: DAY } };
const PIN: Uuid = Uuid::from_u128(1);
const OTHER_PIN: Uuid = Uuid::from_u128(2);

fn now() -> DateTime<Utc> {
    at("2026-11-28T12:00:00Z")
}

fn seconds_ago(seconds: i64) -> DateTime<Utc> {
    now() - TimeDelta::seconds(seconds)
}

fn wrong(pin_request_id: Uuid, seconds: i64) -> CountedTry {
    CountedTry { pin_request_id, time: seconds_ago(seconds), has_result: true }
}

fn running(pin_request_id: Uuid, seconds: i64) -> CountedTry {
    CountedTry { has_result: false, ..wrong(pin_request_id, seconds) }
}

/// The tries of several lists, the latest first.
fn tries(lists: &[&[CountedTry]]) -> PersonTries {
    let mut all = lists.concat();
    all.sort_by_key(|counted| Reverse(counted.time));
    PersonTries(all)
}

/// `count` wrong tries on another PIN, one an hour, the latest an hour ago.
fn hourly(count: i64) -> Vec<CountedTry> {
    (1..=count).map(|hours| wrong(OTHER_PIN, hours * 3600)).collect()
}

/// Facts of a person with an open PIN.
fn with_open_pin(tries: u32, person_tries: PersonTries) -> StartFacts {
    StartFacts { open_pin: Some(OpenPin { id: PIN, tries }), person_tries, ..StartFacts::default() }
}

/// Facts of a request id that was seen before, by a person who may not try any more.
fn seen_before(previous: PreviousTry) -> StartFacts {
    StartFacts { previous: Some(previous), ..with_open_pin(3, tries(&[&hourly(10)])) }
}

fn exhausted(hours: i64) -> RedeemOutcome {
    RedeemOutcome::BudgetExhausted { until: Some(now() + TimeDelta::hours(hours)) }
}

#[rstest]
#[case::answered_before(
    seen_before(PreviousTry::Answered(RedeemOutcome::Redeemed)),
    StartDecision::Replay(RedeemOutcome::Redeemed)
)]
#[case::counted_before(seen_before(PreviousTry::Counted(PIN)), StartDecision::Resume(PIN))]
#[case::other_payload(seen_before(PreviousTry::OtherPayload), StartDecision::RefuseRequestId)]
#[case::no_open_pin(StartFacts::default(), StartDecision::Answer(RedeemOutcome::NoOpenPin))]
#[case::latest_pin_revoked(
    StartFacts { is_latest_pin_revoked: true, ..StartFacts::default() },
    StartDecision::Answer(RedeemOutcome::Revoked)
)]
#[case::open_pin(with_open_pin(0, PersonTries::default()), StartDecision::Count)]
#[case::r3_two_wrong(with_open_pin(2, tries(&[&[wrong(PIN, 1), wrong(PIN, 2)]])), StartDecision::Count)]
#[case::r3_three_wrong(
    with_open_pin(3, tries(&[&[wrong(PIN, 1), wrong(PIN, 2), wrong(PIN, 3)]])),
    StartDecision::Answer(RedeemOutcome::Revoked)
)]
#[case::r3_third_is_running(
    with_open_pin(3, tries(&[&[running(PIN, 1), wrong(PIN, 2), wrong(PIN, 3)]])),
    StartDecision::WaitForOthers
)]
#[case::r3_third_has_stopped(
    with_open_pin(3, tries(&[&[running(PIN, 10), wrong(PIN, 12), wrong(PIN, 13)]])),
    StartDecision::Answer(RedeemOutcome::Revoked)
)]
#[case::r4_nine_wrong(with_open_pin(0, tries(&[&hourly(9)])), StartDecision::Count)]
#[case::r4_ten_wrong(with_open_pin(0, tries(&[&hourly(10)])), StartDecision::Answer(exhausted(14)))]
#[case::r4_ten_wrong_without_open_pin(
    StartFacts { person_tries: tries(&[&hourly(10)]), ..StartFacts::default() },
    StartDecision::Answer(exhausted(14))
)]
#[case::r4_eleven_wrong(with_open_pin(0, tries(&[&hourly(11)])), StartDecision::Answer(exhausted(14)))]
#[case::r4_tenth_is_running(
    with_open_pin(0, tries(&[&[running(OTHER_PIN, 9)], &hourly(9)])),
    StartDecision::WaitForOthers
)]
#[case::r4_tenth_has_stopped(
    with_open_pin(0, tries(&[&[running(OTHER_PIN, 10)], &hourly(9)])),
    StartDecision::Answer(exhausted(15))
)]
fn a_try_starts_as_the_facts_allow(#[case] facts: StartFacts, #[case] expected: StartDecision) {
    assert_eq!(start_try(&facts, true, &RULES, now()), expected);
}

/// Redis counts tries that are running elsewhere. It names no limit, and what needs no comparison does not wait for it.
#[rstest]
#[case::open_pin(with_open_pin(0, PersonTries::default()), StartDecision::WaitForOthers)]
#[case::no_open_pin(StartFacts::default(), StartDecision::Answer(RedeemOutcome::NoOpenPin))]
#[case::r4_ten_wrong(with_open_pin(0, tries(&[&hourly(10)])), StartDecision::Answer(exhausted(14)))]
#[case::counted_before(seen_before(PreviousTry::Counted(PIN)), StartDecision::Resume(PIN))]
fn r4_a_try_that_the_guard_refuses_is_not_counted(#[case] facts: StartFacts, #[case] expected: StartDecision) {
    assert_eq!(start_try(&facts, false, &RULES, now()), expected);
}

#[rstest]
#[case::right(true, TriedPin::Open { tries: 3 }, hourly(9), RedeemOutcome::Redeemed)]
#[case::right_but_revoked(true, TriedPin::Revoked, vec![], RedeemOutcome::Revoked)]
#[case::right_but_gone(true, TriedPin::Gone, vec![], RedeemOutcome::NoOpenPin)]
#[case::wrong_and_revoked(false, TriedPin::Revoked, hourly(9), RedeemOutcome::Revoked)]
#[case::wrong_and_gone(false, TriedPin::Gone, vec![], RedeemOutcome::NoOpenPin)]
#[case::r3_first_wrong(false, TriedPin::Open { tries: 1 }, vec![], RedeemOutcome::WrongPin { left: 2 })]
#[case::r3_second_wrong(
    false, TriedPin::Open { tries: 2 }, vec![wrong(PIN, 1)], RedeemOutcome::WrongPin { left: 1 }
)]
#[case::r3_last_wrong(
    false, TriedPin::Open { tries: 3 }, vec![wrong(PIN, 1), wrong(PIN, 2)], RedeemOutcome::Revoked
)]
#[case::r3_others_are_running(
    false, TriedPin::Open { tries: 3 }, vec![running(PIN, 1), running(PIN, 2)], RedeemOutcome::WrongPin { left: 2 }
)]
#[case::r4_the_person_has_less_left(false, TriedPin::Open { tries: 1 }, hourly(8), RedeemOutcome::WrongPin { left: 1 })]
#[case::r4_last_wrong(false, TriedPin::Open { tries: 1 }, hourly(9), exhausted(15))]
#[case::r3_and_r4_last_wrong(
    false, TriedPin::Open { tries: 3 }, [vec![wrong(PIN, 1), wrong(PIN, 2)], hourly(7)].concat(), exhausted(17)
)]
fn a_comparison_is_concluded_by_both_budgets(
    #[case] is_right: bool,
    #[case] pin: TriedPin,
    #[case] others: Vec<CountedTry>,
    #[case] expected: RedeemOutcome,
) {
    let facts = ConcludeFacts { pin_request_id: PIN, pin, try_time: now(), other_tries: tries(&[&others]) };
    assert_eq!(conclude_try(is_right, facts, &RULES, now()), expected);
}

/// The release 0.1.0 reads answers of this version, and this version reads those of 0.1.0.
#[rstest]
#[case(r#"{"outcome":"redeemed"}"#, RedeemOutcome::Redeemed)]
#[case(r#"{"outcome":"wrong_pin","left":2}"#, RedeemOutcome::WrongPin { left: 2 })]
#[case(r#"{"outcome":"no_open_pin"}"#, RedeemOutcome::NoOpenPin)]
#[case(r#"{"outcome":"revoked"}"#, RedeemOutcome::Revoked)]
#[case(r#"{"outcome":"budget_exhausted"}"#, RedeemOutcome::BudgetExhausted { until: None })]
#[case(r#"{"outcome":"budget_exhausted","until":"2026-11-28T14:00:00Z"}"#, exhausted(2))]
fn an_outcome_is_stored_in_the_form_of_0_1_0(#[case] text: &str, #[case] outcome: RedeemOutcome) {
    assert_eq!(serde_json::to_string(&outcome).unwrap(), text);
    assert_eq!(serde_json::from_str::<RedeemOutcome>(text).unwrap(), outcome);
}

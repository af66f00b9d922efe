//! Each outcome of an order, alone and against the outcomes that come after it in the order of the checks.

use rstest::rstest;

use super::super::fixture::at;
use super::*;

const PIN_ID: Uuid = Uuid::from_u128(1);
const OTHER_PIN_ID: Uuid = Uuid::from_u128(2);
const DAY: Duration = Duration::from_secs(24 * 3600);
const RULES: OrderRules = OrderRules {
    wrong_tries: Limit { times: 3, per: DAY },
    person_pins: Limit { times: 2, per: DAY },
    mobile_pins: Limit { times: 2, per: DAY },
    resend_interval: Duration::from_secs(60),
    sends: 3,
    least_validity: Duration::from_secs(60),
};

fn now() -> DateTime<Utc> {
    at("2026-11-24T12:00:00Z")
}

fn ago(seconds: i64) -> DateTime<Utc> {
    now() - chrono::TimeDelta::seconds(seconds)
}

fn phone_order() -> OrderTerms {
    OrderTerms {
        payload_digest: [1; 32],
        channel: Channel::Phone,
        mobile: MobileKey([1; 32]),
        now: now(),
        may_issue: true,
    }
}

/// Facts that allow a new PIN on every channel.
fn facts() -> OrderFacts {
    OrderFacts {
        answered_digest: None,
        verification: Some(VerificationFacts {
            is_verified: true,
            create_time: ago(10),
            expire_time: ago(-890),
            used_for: None,
        }),
        is_blocked: false,
        open_pin: None,
        hold: Some(passed_hold()),
        wrong_tries: Vec::new(),
        person_pins: Vec::new(),
        mobile_pins: Vec::new(),
    }
}

fn passed_hold() -> Hold {
    Hold { request_time: ago(90_000), eligible_time: ago(3_600), expire_time: ago(-80_000) }
}

/// A PIN that can be sent again.
fn open_pin() -> OpenPinFacts {
    OpenPinFacts {
        id: PIN_ID,
        mobile: MobileKey([1; 32]),
        expire_time: ago(-540),
        last_send_time: ago(60),
        sends: 1,
        has_sms: true,
    }
}

type Change = fn(&mut OrderFacts, &mut OrderTerms);

fn verification(facts: &mut OrderFacts) -> &mut VerificationFacts {
    facts.verification.as_mut().unwrap()
}

/// What makes each outcome, in the order of the checks, with the outcome. Nothing here is undone by what comes after it.
const OUTCOMES: [(Change, fn() -> OrderDecision); 17] = [
    (|facts, _| facts.answered_digest = Some([1; 32]), || OrderDecision::Replay),
    (|facts, _| facts.answered_digest = Some([9; 32]), || OrderDecision::RefuseRequestId),
    (|facts, _| facts.verification = None, || refused(Reason::VerificationUnknown)),
    (|facts, _| verification(facts).is_verified = false, || refused(Reason::VerificationNotConfirmed)),
    (|facts, _| verification(facts).expire_time = now(), || refused(Reason::VerificationExpired)),
    (|facts, _| verification(facts).used_for = Some(OTHER_PIN_ID), || refused(Reason::VerificationUsed)),
    (|facts, _| facts.is_blocked = true, || refused(Reason::PersonBlocked)),
    (
        |facts, _| facts.wrong_tries = vec![ago(1), ago(2), ago(3)],
        || OrderDecision::RefuseByLimit(Denial::until(Reason::WrongTryLimit, ago(3) + DAY)),
    ),
    (|facts, _| facts.open_pin = Some(open_pin()), || OrderDecision::SendAgain),
    (|facts, _| facts.open_pin = Some(OpenPinFacts { sends: 3, ..open_pin() }), || OrderDecision::ReturnOpen),
    (|facts, _| facts.hold = None, || refused(Reason::AccessNotRequested)),
    (
        |facts, _| facts.hold = Some(Hold { eligible_time: ago(-1), ..passed_hold() }),
        || OrderDecision::Refuse(Denial::until(Reason::HoldRunning, ago(-1))),
    ),
    (|facts, _| facts.hold = Some(Hold { expire_time: now(), ..passed_hold() }), || refused(Reason::AccessExpired)),
    (|facts, _| facts.hold = Some(Hold { eligible_time: ago(9), ..passed_hold() }), || refused(Reason::LoginAgain)),
    (
        |facts, _| facts.person_pins = vec![ago(1), ago(2)],
        || OrderDecision::RefuseByLimit(Denial::until(Reason::PersonLimit, ago(2) + DAY)),
    ),
    (
        |facts, _| facts.mobile_pins = vec![ago(1), ago(5)],
        || OrderDecision::RefuseByLimit(Denial::until(Reason::MobileLimit, ago(5) + DAY)),
    ),
    (|_, order| order.may_issue = false, || OrderDecision::DoNotIssue),
];

fn refused(reason: Reason) -> OrderDecision {
    OrderDecision::Refuse(Denial::lasting(reason))
}

fn web_order() -> OrderTerms {
    OrderTerms { channel: Channel::Web, ..phone_order() }
}

#[test]
fn each_outcome_has_its_own_cause() {
    for (change, outcome) in OUTCOMES {
        let (mut facts, mut order) = (facts(), web_order());
        change(&mut facts, &mut order);
        assert_eq!(decide(&facts, &order, &RULES), outcome());
    }
}

/// The first check that applies is the answer.
#[test]
fn an_outcome_wins_over_all_that_are_checked_later() {
    for (index, (change, outcome)) in OUTCOMES.iter().enumerate() {
        let (mut facts, mut order) = (facts(), web_order());
        // From the last to the first: an earlier check's cause is not overwritten.
        for (later, _) in OUTCOMES[index + 1..].iter().rev() {
            later(&mut facts, &mut order);
        }
        change(&mut facts, &mut order);
        assert_eq!(decide(&facts, &order, &RULES), outcome(), "outcome {index}");
    }
}

#[test]
fn r5_r6_an_order_that_meets_all_conditions_issues() {
    let issue = OrderDecision::Issue { close: None };
    assert_eq!(decide(&facts(), &web_order(), &RULES), issue);
    // Other channels have no hold.
    assert_eq!(decide(&OrderFacts { hold: None, ..facts() }, &phone_order(), &RULES), issue);
}

#[rstest]
#[case::sent_a_minute_ago(open_pin(), OrderDecision::SendAgain)]
#[case::sent_too_recently(OpenPinFacts { last_send_time: ago(59), ..open_pin() }, OrderDecision::ReturnOpen)]
#[case::sent_often_enough(OpenPinFacts { sends: 3, ..open_pin() }, OrderDecision::ReturnOpen)]
#[case::sms_erased(OpenPinFacts { has_sms: false, ..open_pin() }, OrderDecision::ReturnOpen)]
#[case::expired(OpenPinFacts { expire_time: now(), ..open_pin() }, OrderDecision::Issue { close: Some(PinClosure::Expired) })]
#[case::went_to_another_number(
    OpenPinFacts { mobile: MobileKey([9; 32]), ..open_pin() },
    OrderDecision::Issue { close: Some(PinClosure::MobileNumberChanged) }
)]
fn r5_an_open_pin_is_sent_again_returned_or_replaced(#[case] pin: OpenPinFacts, #[case] decision: OrderDecision) {
    let facts = OrderFacts { open_pin: Some(pin), ..facts() };
    assert_eq!(decide(&facts, &phone_order(), &RULES), decision);
}

#[test]
fn r21_a_verification_serves_the_pin_that_it_was_used_for_and_no_other() {
    let mut facts = OrderFacts { open_pin: Some(open_pin()), ..facts() };
    verification(&mut facts).used_for = Some(PIN_ID);
    assert_eq!(decide(&facts, &phone_order(), &RULES), OrderDecision::SendAgain);
    // Not for a PIN that takes the place of an expired one.
    facts.open_pin = Some(OpenPinFacts { expire_time: now(), ..open_pin() });
    assert_eq!(decide(&facts, &phone_order(), &RULES), refused(Reason::VerificationUsed));
}

#[test]
fn r25_a_limit_that_is_not_reached_allows_the_order() {
    let one = vec![ago(1)];
    let facts = OrderFacts { person_pins: one.clone(), mobile_pins: one.clone(), wrong_tries: one, ..facts() };
    assert_eq!(decide(&facts, &phone_order(), &RULES), OrderDecision::Issue { close: None });
}

/// The gateway takes a validity of less than a minute as a minute.
#[test]
fn r24_a_pin_with_less_life_left_than_the_gateway_observes_is_not_sent_again() {
    for (seconds_left, decision) in [(61, OrderDecision::SendAgain), (60, OrderDecision::ReturnOpen)] {
        let pin = OpenPinFacts { expire_time: ago(-seconds_left), ..open_pin() };
        let facts = OrderFacts { open_pin: Some(pin), ..facts() };
        assert_eq!(decide(&facts, &phone_order(), &RULES), decision, "{seconds_left} s");
    }
}

#[rstest]
#[case::first_send(open_pin(), Some(now()))]
#[case::after_the_second_send(open_pin().sent_again(now()), Some(ago(-60)))]
#[case::after_the_third_send(open_pin().sent_again(ago(60)).sent_again(now()), None)]
#[case::sms_erased(OpenPinFacts { has_sms: false, ..open_pin() }, None)]
#[case::expires_first(OpenPinFacts { expire_time: now(), ..open_pin() }, None)]
#[case::r24_just_long_enough(OpenPinFacts { expire_time: ago(-61), ..open_pin() }, Some(now()))]
#[case::r24_too_short(OpenPinFacts { expire_time: ago(-60), ..open_pin() }, None)]
#[case::r24_too_short_by_then(OpenPinFacts { expire_time: ago(-120), ..open_pin().sent_again(now()) }, None)]
#[case::r24_too_short_now(OpenPinFacts { last_send_time: ago(500), expire_time: ago(-30), ..open_pin() }, None)]
fn r5_the_next_send_time(#[case] pin: OpenPinFacts, #[case] time: Option<DateTime<Utc>>) {
    assert_eq!(pin.next_send_time(&RULES, now()), time);
}

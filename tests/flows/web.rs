//! The web channel: a hold between two logins (R6, R7, R8).

use chrono::TimeDelta;
use temporary_pin::proto::temporarypin::v1::access_hold::State;
use temporary_pin::proto::temporarypin::v1::pin_request::State as PinState;
use temporary_pin::proto::temporarypin::v1::{
    AccessHold, Channel, CheckEligibilityResponse, Reason, channel_eligibility,
};
use test_support::acts::pin_in;
use test_support::calls::time;
use test_support::person::Person;
use test_support::world::World;

const HOLD: TimeDelta = TimeDelta::hours(24);

/// The answer of CheckEligibility to a web caller, and the reasons of the web channel.
async fn check_web(world: &World, person: &Person) -> (CheckEligibilityResponse, Vec<Reason>) {
    let answer = world.check_eligibility("web", person.reference()).await.unwrap();
    let web = answer.channels.iter().find(|entry| entry.channel() == Channel::Web).unwrap();
    let eligible = web.status() == channel_eligibility::Status::Eligible;
    let reasons: Vec<Reason> = web.reasons().collect();
    assert_eq!(reasons.is_empty(), eligible);
    (answer, reasons)
}

fn have_same_times(first: &AccessHold, second: &AccessHold) -> bool {
    first.request_time == second.request_time
        && first.eligible_time == second.eligible_time
        && first.expire_time == second.expire_time
}

#[tokio::test]
async fn r6_r8_the_first_login_starts_the_hold_and_notifies_the_person_once() {
    let world = World::start().await;
    let person = world.new_person().await;
    let before = world.now().await;

    let first = world.log_in(&person).await.access_hold.unwrap();

    assert_eq!(first.state(), State::Running);
    assert!((before..=world.now().await).contains(&time(first.request_time)));
    assert_eq!(time(first.eligible_time), time(first.request_time) + HOLD);
    assert_eq!(time(first.expire_time), time(first.eligible_time) + HOLD);
    let notices = world.texts(&person).await;
    assert_eq!(notices.len(), 1, "{notices:?}");
    assert!(!notices[0].contains("://"), "no link (R24): {notices:?}");

    world.advance(TimeDelta::hours(12)).await;
    let again = world.log_in(&person).await.access_hold.unwrap();

    assert_eq!(again, first, "a later login does not restart the hold");
    assert_eq!(world.texts(&person).await.len(), 1);
    let (answer, reasons) = check_web(&world, &person).await;
    assert_eq!((answer.access_hold, reasons), (Some(first), vec![Reason::HoldRunning]));
}

#[tokio::test]
async fn r6_no_pin_while_the_hold_is_running() {
    let world = World::start().await;
    let person = world.new_person().await;
    let login = world.log_in(&person).await;
    let eligible_time = time(login.access_hold.unwrap().eligible_time);

    for _ in 0..2 {
        let refusal = world.issue("web", &login.verification_id).await.unwrap_err();
        refusal.assert_precondition(Reason::HoldRunning);
        assert_eq!(refusal.until, Some(eligible_time));
    }

    let texts = world.texts(&person).await;
    assert_eq!(texts.len(), 1, "only the notice: {texts:?}");
}

#[tokio::test]
async fn r6_r7_a_login_after_the_hold_gets_the_pin_and_closes_the_request() {
    let world = World::start().await;
    let person = world.new_person().await;
    let eligible_time = time(world.log_in(&person).await.access_hold.unwrap().eligible_time);
    // A login five minutes before the hold has passed.
    world.advance_to(eligible_time - TimeDelta::minutes(5)).await;
    let too_early = world.log_in(&person).await;
    assert_eq!(too_early.access_hold.unwrap().state(), State::Running);
    world.advance_to(eligible_time).await;

    let texts = world.texts(&person).await;
    assert_eq!(texts.len(), 2, "the notice that the hold has passed: {texts:?}");
    let (answer, reasons) = check_web(&world, &person).await;
    assert_eq!((answer.access_hold.unwrap().state(), reasons), (State::Passed, vec![]));
    let refusal = world.issue("web", &too_early.verification_id).await.unwrap_err();
    assert_eq!(refusal.assert_precondition(Reason::LoginAgain).until, None);

    let login = world.log_in(&person).await;
    assert_eq!(login.access_hold.unwrap().state(), State::Passed);
    let issued = world.issue("web", &login.verification_id).await.unwrap();

    assert_eq!((issued.state(), issued.channel()), (PinState::Open, Channel::Web));
    assert!(issued.masked_mobile_number.ends_with(&person.mobile_number()[person.mobile_number().len() - 2..]));
    assert!(!issued.masked_mobile_number.contains(&person.mobile_number()[3..6]), "{issued:?}");
    let texts = world.texts(&person).await;
    assert_eq!(texts.len(), 3, "{texts:?}");
    pin_in(&texts[2]);
    let (answer, reasons) = check_web(&world, &person).await;
    assert_eq!(answer.open_pin_request.map(|pin| pin.id), Some(issued.id));
    assert_eq!((answer.access_hold.unwrap().state(), reasons), (State::None, vec![Reason::AccessNotRequested]));
}

#[tokio::test]
async fn r7_after_the_access_window_access_must_be_requested_again() {
    let world = World::start().await;
    let person = world.new_person().await;
    let first = world.log_in(&person).await.access_hold.unwrap();
    world.advance_to(time(first.expire_time) - TimeDelta::minutes(5)).await;
    let in_the_window = world.log_in(&person).await;
    assert_eq!(in_the_window.access_hold.unwrap().state(), State::Passed);

    world.advance_to(time(first.expire_time)).await;

    let refusal = world.issue("web", &in_the_window.verification_id).await.unwrap_err();
    refusal.assert_precondition(Reason::AccessExpired);
    let (answer, reasons) = check_web(&world, &person).await;
    assert_eq!((answer.access_hold.unwrap().state(), reasons), (State::Expired, vec![Reason::AccessExpired]));
    let notices = world.texts(&person).await.len();
    let second = world.log_in(&person).await.access_hold.unwrap();
    assert_eq!(second.state(), State::Running);
    assert!(time(second.request_time) > time(first.request_time));
    assert_eq!(world.texts(&person).await.len(), notices + 1, "the new hold has a new notice");
}

#[tokio::test]
async fn r6_a_hold_that_redis_has_lost_continues_unchanged() {
    let world = World::start().await;
    let person = world.new_person().await;
    let first = world.log_in(&person).await.access_hold.unwrap();
    let eligible_time = time(first.eligible_time);

    // A login finds the hold again …
    world.advance(TimeDelta::hours(12)).await;
    world.wipe_redis().await;
    let login = world.log_in(&person).await;
    assert_eq!(login.access_hold, Some(first));
    // … and so does an order.
    world.wipe_redis().await;
    let refusal = world.issue("web", &login.verification_id).await.unwrap_err();
    assert_eq!(refusal.assert_precondition(Reason::HoldRunning).until, Some(eligible_time));

    // The hold has not become shorter …
    world.advance_to(eligible_time - TimeDelta::seconds(30)).await;
    world.wipe_redis().await;
    let login = world.log_in(&person).await;
    world.wipe_redis().await;
    let refusal = world.issue("web", &login.verification_id).await.unwrap_err();
    assert_eq!(refusal.assert_precondition(Reason::HoldRunning).until, Some(eligible_time));

    // … and not longer.
    world.advance_to(eligible_time).await;
    let login = world.log_in(&person).await;
    let hold = login.access_hold.unwrap();
    assert!(hold.state() == State::Passed && have_same_times(&hold, &first), "{hold:?}");
    world.wipe_redis().await;
    world.issue("web", &login.verification_id).await.unwrap();
}

#[tokio::test]
async fn r6_concurrent_logins_start_one_hold() {
    let world = World::start().await;
    let person = world.new_person().await;

    let logins = futures_util::future::join_all((0..3).map(|_| world.log_in(&person))).await;

    let first = logins[0].access_hold;
    assert!(logins.iter().all(|login| login.access_hold == first), "{logins:?}");
    assert_eq!(world.texts(&person).await.len(), 1);
}

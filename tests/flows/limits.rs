//! Limits on PINs and on agents (R22, R25).

use chrono::TimeDelta;
use futures_util::future::join_all;
use temporary_pin::proto::temporarypin::v1::verify_identity_request::Evidence;
use temporary_pin::proto::temporarypin::v1::verify_identity_response::State;
use temporary_pin::proto::temporarypin::v1::{QuestionAnswers, Reason, VerifyIdentityResponse, channel_eligibility};
use test_support::acts::right_answer;
use test_support::calls::{Answer, time};
use test_support::person::Person;
use test_support::world::World;

const DAY: TimeDelta = TimeDelta::hours(24);

#[tokio::test]
async fn r25_a_person_gets_three_pins_in_a_day() {
    let world = World::start().await;
    let person = world.new_person().await;
    let before = world.now().await;
    let mut after_first = None;
    for _ in 0..3 {
        let pin = world.order_pin(&person).await;
        after_first = after_first.or(Some(world.now().await));
        world.redeem(person.reference(), &pin).await.unwrap();
        world.advance(TimeDelta::minutes(30)).await;
    }
    let after_first = after_first.unwrap();

    for redis_is_wiped in [false, true] {
        let verification = world.identify(&person).await;
        if redis_is_wiped {
            world.wipe_redis().await;
        }
        let refusal = world.issue("phone", &verification).await.unwrap_err();
        let until = refusal.assert_limit(Reason::PersonLimit);
        assert!(before + DAY <= until && until <= after_first + DAY, "{until}: a day after the first");
        let answer = world.check_eligibility("phone", person.reference()).await.unwrap();
        let own = &answer.channels[1];
        assert_eq!(own.status(), channel_eligibility::Status::NotYet);
        assert_eq!(own.reasons().collect::<Vec<_>>(), [Reason::PersonLimit]);
        assert_eq!(time(own.next_attempt_time), until);
    }
    assert_eq!(world.texts(&person).await.len(), 3);

    world.advance_to(after_first + DAY).await;
    world.order_pin(&person).await;
}

/// Sixteen concurrent orders of the last PIN of the day. An order does not count what the concurrent orders have spent and not
/// committed.
#[tokio::test]
async fn r25_sixteen_concurrent_orders_meet_no_limit() {
    let world = World::start().await;
    let person = world.new_person().await;
    for _ in 0..2 {
        let pin = world.order_pin(&person).await;
        world.redeem(person.reference(), &pin).await.unwrap();
    }
    let verification = world.identify(&person).await;

    let all = join_all((0..16).map(|_| world.issue("phone", &verification))).await;

    let first = all[0].as_ref().unwrap();
    assert!(all.iter().all(|answer| answer.as_ref().unwrap().id == first.id), "{all:?}");
    assert_eq!(world.texts(&person).await.len(), 3);
}

#[tokio::test]
async fn r25_a_mobile_number_gets_five_pins_in_a_day() {
    let world = World::start().await;
    let (first, second) = (world.person("shared-phone").await, world.person("shared-phone-2").await);
    assert_eq!(first.mobile_number(), second.mobile_number());
    let before = world.now().await;
    for person in [&first, &first, &first, &second, &second] {
        let pin = world.order_pin(person).await;
        world.redeem(person.reference(), &pin).await.unwrap();
        world.advance(TimeDelta::minutes(30)).await;
    }

    for redis_is_wiped in [false, true] {
        let verification = world.identify(&second).await;
        if redis_is_wiped {
            world.wipe_redis().await;
        }
        let until = world.issue("phone", &verification).await.unwrap_err().assert_limit(Reason::MobileLimit);
        assert!(before + DAY <= until && until < before + DAY + TimeDelta::minutes(30), "{until}");
        let answer = world.check_eligibility("phone", second.reference()).await.unwrap();
        assert_eq!(answer.channels[1].reasons().collect::<Vec<_>>(), [Reason::MobileLimit]);
    }
    assert_eq!(world.texts(&second).await.len(), 5);

    world.advance_to(before + DAY + TimeDelta::minutes(30)).await;
    world.order_pin(&second).await;
}

#[tokio::test]
async fn r25_a_resend_does_not_count_as_a_pin() {
    let world = World::start().await;
    let person = world.new_person().await;
    for _ in 0..3 {
        let verification = world.identify(&person).await;
        world.issue("phone", &verification).await.unwrap();
        for _ in 0..2 {
            world.advance(TimeDelta::seconds(61)).await;
            world.issue("phone", &verification).await.unwrap();
        }
        world.advance(TimeDelta::minutes(10)).await;
    }
    assert_eq!(world.texts(&person).await.len(), 9);
}

/// A phone verification of the person by the agent.
async fn call_support(world: &World, person: &Person, agent: &str) -> Answer<VerifyIdentityResponse> {
    let evidence = world.phone_evidence(person.reference(), person.document(), agent).await;
    world.verify("phone", evidence).await
}

#[tokio::test]
async fn r22_an_agent_makes_thirty_verifications_in_an_hour() {
    let world = World::start().await;
    for _ in 0..30 {
        let response = call_support(&world, &world.new_person().await, "busy").await.unwrap();
        assert_eq!(response.state(), State::QuestionsPending);
    }
    let person = world.new_person().await;

    let refusal = call_support(&world, &person, "busy").await.unwrap_err();

    let until = refusal.assert_limit(Reason::AgentLimit);
    let wait = until - world.now().await;
    assert!(TimeDelta::zero() < wait && wait <= TimeDelta::minutes(2), "a verification every two minutes: {wait}");
    call_support(&world, &person, "other-agent").await.unwrap();
    world.advance_to(until).await;
    call_support(&world, &person, "busy").await.unwrap();
    call_support(&world, &person, "busy").await.unwrap_err().assert_limit(Reason::AgentLimit);
}

/// The agent identifies the person. Returns the verification id.
async fn identify(world: &World, person: &Person, agent: &str) -> String {
    let response = call_support(world, person, agent).await.unwrap();
    let agent_token = world.agent_token(agent).await;
    let answers = world.answers(&response, |_, question| right_answer(person, question)).await;
    let answers = QuestionAnswers { agent_token, ..answers };
    world.verify("phone", Evidence::QuestionAnswers(answers)).await.unwrap().verification_id
}

#[tokio::test]
async fn r22_an_agent_orders_twenty_pins_in_an_hour() {
    let world = World::start().await;
    for _ in 0..20 {
        let verification = identify(&world, &world.new_person().await, "busy").await;
        world.issue("phone", &verification).await.unwrap();
    }
    let person = world.new_person().await;
    let verification = identify(&world, &person, "busy").await;

    let refusal = world.issue("phone", &verification).await.unwrap_err();

    let until = refusal.assert_limit(Reason::AgentLimit);
    let wait = until - world.now().await;
    assert!(TimeDelta::zero() < wait && wait <= TimeDelta::minutes(3), "a PIN every three minutes: {wait}");
    world.advance_to(until).await;
    world.issue("phone", &verification).await.unwrap();
    assert_eq!(world.texts(&person).await.len(), 1);
}

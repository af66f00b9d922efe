//! An SMS gateway that rejects, is slow, or is down: one SMS per send, and none after the PIN has expired (R24).

use chrono::TimeDelta;
use serde_json::json;
use temporary_pin::proto::temporarypin::v1::PinRequest;
use temporary_pin::proto::temporarypin::v1::pin_request::DispatchState;
use test_support::acts::pin_in;
use test_support::person::Person;
use test_support::sandbox::Sandbox;
use test_support::world::{World, wait_until};

const RESEND_INTERVAL: TimeDelta = TimeDelta::seconds(60);
const PIN_LIFETIME: TimeDelta = TimeDelta::minutes(10);

async fn new_world() -> World {
    World::with_sandbox(Sandbox::start(&["--people", "5"])).await
}

/// Sets the gateway's mode and orders a PIN for a person. Returns the verification too, for resends.
async fn order_pin(world: &World, mode: &str) -> (Person, String) {
    world.set_mode("/gateway", mode).await;
    let person = world.new_person().await;
    let verification = world.identify(&person).await;
    let pin_request = world.issue("phone", &verification).await.unwrap();
    assert_eq!(pin_request.dispatch_state(), DispatchState::Queued);
    (person, verification)
}

async fn open_pin_request(world: &World, person: &Person) -> PinRequest {
    world.check_eligibility("phone", person.reference()).await.unwrap().open_pin_request.unwrap()
}

async fn await_dispatch_state(world: &World, person: &Person, state: DispatchState) {
    wait_until(state.as_str_name(), async || open_pin_request(world, person).await.dispatch_state() == state).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_delays_the_sms_at_most_until_the_pin_expires() {
    let world = new_world().await;
    let (person, _) = order_pin(&world, "down").await;
    wait_until("the gateway was tried", async || world.count("outbox WHERE attempts > 0").await == 1).await;
    assert_eq!(world.messages(&person).await.len(), 0);

    let almost = PIN_LIFETIME - TimeDelta::seconds(90);
    world.advance(almost).await;
    world.set_mode("/gateway", "accept").await;
    await_dispatch_state(&world, &person, DispatchState::Accepted).await;
    let messages = world.messages(&person).await;
    assert_eq!(messages.len(), 1);
    // R24: the validity ends with the PIN, so that no network delivers it later.
    assert!(messages[0]["validity_seconds"].as_i64().unwrap() <= (PIN_LIFETIME - almost).num_seconds(), "{messages:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pin_that_expired_in_an_outage_is_never_sent() {
    let world = new_world().await;
    let (late_person, _) = order_pin(&world, "down").await;
    world.advance(PIN_LIFETIME).await;
    wait_until("the message has expired", async || world.count("outbox WHERE state = 'expired'").await == 1).await;
    assert_eq!(world.count("outbox WHERE sealed_body IS NOT NULL").await, 0);

    let (punctual_person, _) = order_pin(&world, "accept").await;
    assert_eq!(world.messages(&punctual_person).await.len(), 1);
    assert_eq!(world.messages(&late_person).await.len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_sms_can_be_ordered_again() {
    let world = new_world().await;
    let (person, verification) = order_pin(&world, "reject").await;
    await_dispatch_state(&world, &person, DispatchState::Failed).await;
    world.set_mode("/gateway", "accept").await;

    // R5: a resend is possible only after the interval.
    let too_soon = world.issue("phone", &verification).await.unwrap();
    assert_eq!(too_soon.dispatch_state(), DispatchState::Failed);
    world.advance(RESEND_INTERVAL).await;
    assert_eq!(world.messages(&person).await.len(), 0, "the SMS was not ordered again");
    let again = world.issue("phone", &verification).await.unwrap();
    assert_eq!((again.id, again.expire_time), (too_soon.id, too_soon.expire_time));
    await_dispatch_state(&world, &person, DispatchState::Accepted).await;
    assert_eq!(world.messages(&person).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_gateway_gets_each_send_once() {
    let world = new_world().await;
    world.slow_down("/gateway", 2).await;
    let person = world.new_person().await;
    let verification = world.identify(&person).await;
    world.issue("phone", &verification).await.unwrap();
    // The SMS is on the phone before the gateway has answered. During that time the dispatcher polls for work.
    let path = format!("/phones/{}/messages", person.mobile_number());
    wait_until("the SMS arrives", async || world.sandbox.get(&path).await != serde_json::json!([])).await;
    assert_eq!(open_pin_request(&world, &person).await.dispatch_state(), DispatchState::Queued);
    await_dispatch_state(&world, &person, DispatchState::Accepted).await;
    assert_eq!(world.messages(&person).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn r5_one_sms_per_send() {
    let world = new_world().await;
    let (person, verification) = order_pin(&world, "accept").await;
    for _ in 0..4 {
        await_dispatch_state(&world, &person, DispatchState::Accepted).await;
        world.advance(RESEND_INTERVAL).await;
        world.issue("phone", &verification).await.unwrap();
    }
    await_dispatch_state(&world, &person, DispatchState::Accepted).await;
    let messages = world.messages(&person).await;
    let pins: Vec<String> = messages.iter().map(|message| pin_in(message["text"].as_str().unwrap())).collect();
    assert_eq!(pins, vec![pins[0].clone(); 3], "three sends of the same PIN");
    let mut references: Vec<&str> = messages.iter().map(|message| message["reference"].as_str().unwrap()).collect();
    references.dedup();
    assert_eq!(references.len(), 3);
}

/// The answers of proxies that give up, and of gateways that break, after the message was taken.
#[tokio::test(flavor = "multi_thread")]
async fn r29_no_pin_arrives_twice_whatever_is_answered_after_it_was_taken() {
    let world = new_world().await;
    let answer = |status: u16, body: &str| json!({ "mode": "answer", "status": status, "body": body, "takes": true });
    let html = "<html>Service Unavailable</html>";
    let modes = [
        answer(503, html),
        answer(520, html),
        answer(303, ""),
        answer(200, html),
        json!({ "mode": "half", "takes": true }),
    ];
    for mode in modes {
        world.sandbox.post("/gateway", mode.clone()).await;
        let person = world.new_person().await;
        let verification = world.identify(&person).await;
        world.issue("phone", &verification).await.unwrap();
        await_dispatch_state(&world, &person, DispatchState::Failed).await;
        world.set_mode("/gateway", "accept").await;
        world.advance(TimeDelta::minutes(2)).await;
        assert_eq!(world.messages(&person).await.len(), 1, "{mode}");
    }
}

/// The token is withdrawn for a minute.
#[tokio::test(flavor = "multi_thread")]
async fn r29_a_withdrawn_token_costs_no_pin() {
    let world = new_world().await;
    world.sandbox.post("/gateway", json!({ "mode": "answer", "status": 401 })).await;
    let person = world.new_person().await;
    let verification = world.identify(&person).await;
    world.issue("phone", &verification).await.unwrap();
    wait_until("the gateway was tried", async || world.count("outbox WHERE attempts > 0").await == 1).await;
    world.set_mode("/gateway", "accept").await;
    world.advance(TimeDelta::minutes(1)).await;
    await_dispatch_state(&world, &person, DispatchState::Accepted).await;
    assert_eq!(world.messages(&person).await.len(), 1);
}

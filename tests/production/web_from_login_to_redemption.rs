//! One run from login to redemption. Each step uses the certificate of its own caller.

use temporary_pin::proto::temporarypin::v1::access_hold;
use temporary_pin::proto::temporarypin::v1::redeem_temporary_pin_response::Outcome;
use temporary_pin::proto::temporarypin::v1::{Reason, VerifyIdentityResponse};
use test_support::acts::pin_in;
use test_support::installation::Installation;
use test_support::person::Person;
use test_support::sandbox::Sandbox;
use test_support::world::{World, wait_until};

fn hold_state(login: &VerifyIdentityResponse) -> access_hold::State {
    login.access_hold.as_ref().unwrap().state()
}

/// Waits until `count` messages are on the phone, and returns their texts.
async fn await_texts(world: &World, person: &Person, count: usize) -> Vec<String> {
    let path = format!("/phones/{}/messages", person.mobile_number());
    let messages = async || world.sandbox.get(&path).await.as_array().unwrap().clone();
    wait_until("the SMS arrives", async || messages().await.len() >= count).await;
    let texts: Vec<String> =
        messages().await.iter().map(|message| message["text"].as_str().unwrap().to_owned()).collect();
    assert_eq!(texts.len(), count, "{texts:?}");
    texts
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_orders_and_redeems_a_pin_on_the_web() {
    let mut world = World::with_sandbox(Sandbox::start(&[])).await;
    let mut installation = Installation::new(&world.sandbox).await;
    // A short hold, because the clock of the production binary cannot be moved.
    installation.set("RULES__HOLD__WAIT", "8s");
    // The first notice is handed over only if the hold outlasts these times.
    installation.set("SMS__GATEWAY__LEAST_VALIDITY", "1s");
    installation.set("SMS__GATEWAY__TIMEOUT", "2s");
    let process = installation.start().await;
    let anna = world.person("anna").await;

    world.channel = process.connect_as("web");
    let first_login = world.log_in(&anna).await;
    assert_eq!(hold_state(&first_login), access_hold::State::Running);
    let refusal = world.issue("web", &first_login.verification_id).await.unwrap_err();
    refusal.assert_precondition(Reason::HoldRunning);
    await_texts(&world, &anna, 1).await;
    // The second notice says that the hold has passed.
    await_texts(&world, &anna, 2).await;
    let second_login = world.log_in(&anna).await;
    assert_eq!(hold_state(&second_login), access_hold::State::Passed);
    world.issue("web", &second_login.verification_id).await.unwrap();
    let pin = pin_in(&await_texts(&world, &anna, 3).await[2]);

    world.channel = process.connect_as("redeemer");
    assert_eq!(world.redeem(anna.reference(), &pin).await.unwrap().outcome(), Outcome::Redeemed);
    assert_eq!(world.redeem(anna.reference(), &pin).await.unwrap().outcome(), Outcome::NoOpenPin);
}

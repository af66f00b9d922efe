//! One story from the login to the redemption, each step with the certificate of whoever takes it.

use temporary_pin::proto::temporarypin::v1::access_hold;
use temporary_pin::proto::temporarypin::v1::redeem_temporary_pin_response::Outcome;
use temporary_pin::proto::temporarypin::v1::{Reason, VerifyIdentityResponse};
use test_support::acts::pin_in;
use test_support::installation::Installation;
use test_support::person::Person;
use test_support::sandbox::Sandbox;
use test_support::world::{World, until};

fn hold(login: &VerifyIdentityResponse) -> access_hold::State {
    login.access_hold.as_ref().unwrap().state()
}

/// What is on the phone, once there are so many.
async fn texts(world: &World, person: &Person, count: usize) -> Vec<String> {
    let path = format!("/phones/{}/messages", person.mobile_number());
    let messages = async || world.sandbox.get(&path).await.as_array().unwrap().clone();
    until("the SMS arrives", async || messages().await.len() >= count).await;
    let texts: Vec<String> =
        messages().await.iter().map(|message| message["text"].as_str().unwrap().to_owned()).collect();
    assert_eq!(texts.len(), count, "{texts:?}");
    texts
}

#[tokio::test(flavor = "multi_thread")]
async fn on_the_web() {
    let mut world = World::around(Sandbox::start(&[])).await;
    let mut installation = Installation::new(&world.sandbox).await;
    // Nobody can move this clock.
    installation.set("RULES__HOLD__WAIT", "8s");
    let process = installation.start().await;
    let anna = world.person("anna").await;

    world.channel = process.caller("web");
    let first = world.log_in(&anna).await;
    assert_eq!(hold(&first), access_hold::State::Running);
    let refusal = world.issue("web", &first.verification_id).await.unwrap_err();
    refusal.assert_precondition(Reason::HoldRunning);
    texts(&world, &anna, 1).await;
    // The second notice tells that the hold has passed.
    texts(&world, &anna, 2).await;
    let second = world.log_in(&anna).await;
    assert_eq!(hold(&second), access_hold::State::Passed);
    world.issue("web", &second.verification_id).await.unwrap();
    let pin = pin_in(&texts(&world, &anna, 3).await[2]);

    world.channel = process.caller("redeemer");
    assert_eq!(world.redeem(anna.reference(), &pin).await.unwrap().outcome(), Outcome::Redeemed);
    assert_eq!(world.redeem(anna.reference(), &pin).await.unwrap().outcome(), Outcome::NoOpenPin);
}

//! Verifications, holds and PINs that one version made work in the other version too.

use temporary_pin::proto::temporarypin::v1::access_hold;
use temporary_pin::proto::temporarypin::v1::redeem_temporary_pin_response::Outcome;
use temporary_pin::proto::temporarypin::v1::verify_identity_response::State;
use temporary_pin::proto::temporarypin::v1::{Reason, VerifyIdentityResponse};
use test_support::acts::pin_in;
use test_support::calls::uuid;

use crate::upgrade::{Upgrade, Version, texts};

fn hold(login: &VerifyIdentityResponse) -> access_hold::State {
    login.access_hold.as_ref().unwrap().state()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "deploy/local/compatibility runs it"]
async fn by_phone() {
    let (mut world, upgrade) = Upgrade::begin().await;
    let [release, present] = upgrade.both().await;
    for (one, other) in [(&release, &present), (&present, &release)] {
        let person = world.new_person().await;
        one.called_by(&mut world, "phone");
        let response = world.begin_questions(&person).await;
        other.called_by(&mut world, "phone");
        let verified = world.answer_right("phone", &person, &response, 3).await;
        assert_eq!(verified.state(), State::Verified, "{verified:?}");
        one.called_by(&mut world, "phone");
        let request_id = uuid();
        let issued = world.issue_with_request_id("phone", &verified.verification_id, request_id).await.unwrap();
        // A caller that got no answer repeats its request, and the other version answers it.
        other.called_by(&mut world, "phone");
        let repeated = world.issue_with_request_id("phone", &verified.verification_id, request_id).await.unwrap();
        assert_eq!(repeated, issued);
        let pin = pin_in(&texts(&world, &person, 1).await[0]);

        other.called_by(&mut world, "redeemer");
        let (reference, request_id) = (person.reference(), uuid());
        assert_eq!(
            world.redeem_with_request_id(reference.clone(), &pin, request_id).await.unwrap().outcome(),
            Outcome::Redeemed
        );
        one.called_by(&mut world, "redeemer");
        assert_eq!(
            world.redeem_with_request_id(reference.clone(), &pin, request_id).await.unwrap().outcome(),
            Outcome::Redeemed
        );
        assert_eq!(world.redeem(reference, &pin).await.unwrap().outcome(), Outcome::NoOpenPin);
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "deploy/local/compatibility runs it"]
async fn at_the_counter() {
    let (mut world, upgrade) = Upgrade::begin().await;
    let [release, present] = upgrade.both().await;
    let vouching = world.vouches(&world.person("witness").await).await;
    for (one, other) in [(&release, &present), (&present, &release)] {
        let person = world.new_person().await;
        one.called_by(&mut world, "counter");
        let verified = world.visit_counter(world.counter_evidence(&person, vouching.clone()).await).await.unwrap();
        assert_eq!(verified.state(), State::Verified, "{verified:?}");
        other.called_by(&mut world, "counter");
        world.issue("counter", &verified.verification_id).await.unwrap();
        let pin = pin_in(&texts(&world, &person, 1).await[0]);
        one.called_by(&mut world, "redeemer");
        assert_eq!(world.redeem(person.reference(), &pin).await.unwrap().outcome(), Outcome::Redeemed);
    }
}

/// One version starts the hold, and the other version accepts the order after it. Each notice is sent once.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "deploy/local/compatibility runs it"]
async fn on_the_web() {
    let (mut world, upgrade) = Upgrade::begin().await;
    let [release, present] = upgrade.both().await;
    for (one, other) in [(&release, &present), (&present, &release)] {
        let person = world.new_person().await;
        one.called_by(&mut world, "web");
        let first = world.log_in(&person).await;
        assert_eq!(hold(&first), access_hold::State::Running);
        other.called_by(&mut world, "web");
        world.issue("web", &first.verification_id).await.unwrap_err().assert_precondition(Reason::HoldRunning);
        let during = world.log_in(&person).await;
        assert_eq!(during.access_hold, first.access_hold, "a login during the hold does not restart it");

        texts(&world, &person, 2).await;
        let second = world.log_in(&person).await;
        assert_eq!(hold(&second), access_hold::State::Passed);
        one.called_by(&mut world, "web");
        world.issue("web", &second.verification_id).await.unwrap();
        let pin = pin_in(&texts(&world, &person, 3).await[2]);
        other.called_by(&mut world, "redeemer");
        assert_eq!(world.redeem(person.reference(), &pin).await.unwrap().outcome(), Outcome::Redeemed);
    }
}

/// The release verifies the identity, the present version replaces the release and issues the PIN, and the release replaces the
/// present version and redeems the PIN.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "deploy/local/compatibility runs it"]
async fn across_the_replacement_and_back() {
    let (mut world, upgrade) = Upgrade::begin().await;
    let person = world.new_person().await;
    let [release, present] = upgrade.both().await;
    release.called_by(&mut world, "phone");
    let verification = world.identify(&person).await;
    release.process.kill();

    present.called_by(&mut world, "phone");
    world.issue("phone", &verification).await.unwrap();
    let pin = pin_in(&texts(&world, &person, 1).await[0]);
    present.process.kill();

    let back = Version::from_process(upgrade.release.start(&upgrade.installation.authority).await);
    back.called_by(&mut world, "redeemer");
    assert_eq!(world.redeem(person.reference(), &pin).await.unwrap().outcome(), Outcome::Redeemed);
}

//! What an operator revokes, cancels or blocks through the present version is stopped in the release too. The release also
//! sends notices of kinds that it does not know.

use serde_json::json;
use temporary_pin::proto::temporarypin::v1 as pb;
use temporary_pin::proto::temporarypin::v1::Reason;
use temporary_pin::proto::temporarypin::v1::redeem_temporary_pin_response::Outcome;
use test_support::acts::pin_in;
use test_support::operator::{says_access_was_cancelled, says_pin_was_revoked};

use crate::upgrade::{Upgrade, texts};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "deploy/local/compatibility runs it"]
async fn r9_a_pin_of_the_release_is_revoked() {
    let (mut world, upgrade) = Upgrade::begin().await;
    let [release, present] = upgrade.both().await;
    let person = world.new_person().await;
    release.called_by(&mut world, "phone");
    let verification = world.identify(&person).await;
    world.issue("phone", &verification).await.unwrap();
    let pin = pin_in(&texts(&world, &person, 1).await[0]);

    present.called_by(&mut world, "operator");
    let revoked = world.revoke_temporary_pin(person.reference()).await.unwrap();
    assert_eq!(revoked.outcome(), pb::revoke_temporary_pin_response::Outcome::Revoked);

    assert!(says_pin_was_revoked(&texts(&world, &person, 2).await[1]));
    release.called_by(&mut world, "redeemer");
    assert_ne!(world.redeem(person.reference(), &pin).await.unwrap().outcome(), Outcome::Redeemed);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "deploy/local/compatibility runs it"]
async fn r9_a_request_for_access_made_at_the_release_is_cancelled() {
    let (mut world, upgrade) = Upgrade::begin().await;
    let [release, present] = upgrade.both().await;
    let person = world.new_person().await;
    release.called_by(&mut world, "web");
    let login = world.log_in(&person).await;
    texts(&world, &person, 1).await;

    present.called_by(&mut world, "operator");
    let cancelled = world.cancel_access_request(person.reference()).await.unwrap();
    assert_eq!(cancelled.outcome(), pb::cancel_access_request_response::Outcome::Cancelled);

    assert!(says_access_was_cancelled(&texts(&world, &person, 2).await[1]));
    release.called_by(&mut world, "web");
    let refusal = world.issue("web", &login.verification_id).await.unwrap_err();
    refusal.assert_precondition(Reason::AccessNotRequested);
}

/// The present version stops before it has sent a notice of a kind that the release does not know.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "deploy/local/compatibility runs it"]
async fn the_release_sends_an_unknown_notice_and_all_others() {
    let (mut world, upgrade) = Upgrade::begin().await;
    let [release, mut present] = upgrade.both().await;
    let (revoked, other) = (world.new_person().await, world.new_person().await);
    release.called_by(&mut world, "phone");
    let verification = world.identify(&revoked).await;
    world.issue("phone", &verification).await.unwrap();
    texts(&world, &revoked, 1).await;
    world.sandbox.post("/gateway", json!({ "mode": "down" })).await;
    present.called_by(&mut world, "operator");
    world.revoke_temporary_pin(revoked.reference()).await.unwrap();
    present.process.terminate();
    assert!(present.process.wait().await.success());

    world.sandbox.post("/gateway", json!({ "mode": "accept" })).await;
    release.called_by(&mut world, "phone");
    let verification = world.identify(&other).await;
    world.issue("phone", &verification).await.unwrap();
    pin_in(&texts(&world, &other, 1).await[0]);
    assert!(says_pin_was_revoked(&texts(&world, &revoked, 2).await[1]));
}

//! Both versions count a limit together.

use temporary_pin::proto::temporarypin::v1::Reason;
use temporary_pin::proto::temporarypin::v1::redeem_temporary_pin_response::Outcome;
use test_support::acts::{pin_in, wrong};

use crate::upgrade::{Upgrade, texts};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "deploy/local/compatibility runs it"]
async fn r18_failed_verifications() {
    let (mut world, upgrade) = Upgrade::begin().await;
    let versions = upgrade.both().await;
    let person = world.new_person().await;
    for version in versions.iter().cycle().take(3) {
        version.called_by(&mut world, "phone");
        world.fail_verification(&person).await;
    }
    for version in &versions {
        version.called_by(&mut world, "phone");
        world.call_support(&person).await.unwrap_err().assert_limit(Reason::VerificationLimit);
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "deploy/local/compatibility runs it"]
async fn r3_wrong_tries() {
    let (mut world, upgrade) = Upgrade::begin().await;
    let [release, present] = upgrade.both().await;
    for [one, other] in [[&release, &present], [&present, &release]] {
        let person = world.new_person().await;
        one.called_by(&mut world, "phone");
        let verification = world.identify(&person).await;
        world.issue("phone", &verification).await.unwrap();
        let pin = pin_in(&texts(&world, &person, 1).await[0]);
        for (version, outcome, left) in
            [(other, Outcome::WrongPin, 2), (one, Outcome::WrongPin, 1), (other, Outcome::Revoked, 0)]
        {
            version.called_by(&mut world, "redeemer");
            let answer = world.redeem(person.reference(), &wrong(&pin)).await.unwrap();
            assert_eq!((answer.outcome(), answer.attempts_left), (outcome, left));
        }
        one.called_by(&mut world, "redeemer");
        assert_ne!(world.redeem(person.reference(), &pin).await.unwrap().outcome(), Outcome::Redeemed);
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "deploy/local/compatibility runs it"]
async fn r25_pins_of_a_person() {
    let (mut world, upgrade) = Upgrade::begin().await;
    let versions = upgrade.both().await;
    let person = world.new_person().await;
    for (sent, version) in versions.iter().cycle().take(3).enumerate() {
        version.called_by(&mut world, "phone");
        let verification = world.identify(&person).await;
        world.issue("phone", &verification).await.unwrap();
        let pin = pin_in(&texts(&world, &person, sent + 1).await[sent]);
        version.called_by(&mut world, "redeemer");
        assert_eq!(world.redeem(person.reference(), &pin).await.unwrap().outcome(), Outcome::Redeemed);
    }
    for version in &versions {
        version.called_by(&mut world, "phone");
        let verification = world.identify(&person).await;
        world.issue("phone", &verification).await.unwrap_err().assert_limit(Reason::PersonLimit);
    }
}

//! Two dispatchers of different versions share one outbox.

use serde_json::json;
use test_support::acts::pin_in;
use test_support::world::wait_until;

use crate::upgrade::{Upgrade, texts};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "deploy/local/compatibility runs it"]
async fn each_is_sent_once() {
    let (mut world, upgrade) = Upgrade::begin().await;
    let versions = upgrade.both().await;
    // The gateway is down, so that enough messages wait for both dispatchers.
    world.sandbox.post("/gateway", json!({ "mode": "down" })).await;
    let mut persons = Vec::new();
    for version in versions.iter().cycle().take(20) {
        version.called_by(&mut world, "phone");
        let person = world.new_person().await;
        let verification = world.identify(&person).await;
        world.issue("phone", &verification).await.unwrap();
        persons.push(person);
    }
    world.sandbox.post("/gateway", json!({ "mode": "accept" })).await;
    upgrade.settled().await;
    for person in &persons {
        texts(&world, person, 1).await;
    }
}

/// One version queues a message and stops. The other version sends it.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "deploy/local/compatibility runs it"]
async fn one_version_sends_what_the_other_sealed() {
    for sealed_by_release in [true, false] {
        let (mut world, upgrade) = Upgrade::begin().await;
        let [release, present] = upgrade.both().await;
        let (mut gone, stays) = if sealed_by_release { (release, present) } else { (present, release) };
        world.sandbox.post("/gateway", json!({ "mode": "down" })).await;
        let person = world.new_person().await;
        gone.called_by(&mut world, "phone");
        let verification = world.identify(&person).await;
        world.issue("phone", &verification).await.unwrap();
        gone.process.terminate();
        assert!(gone.process.wait().await.success());
        world.sandbox.post("/gateway", json!({ "mode": "accept" })).await;
        upgrade.settled().await;
        pin_in(&texts(&world, &person, 1).await[0]);
        drop(stays);
    }
}

/// R5: the person orders the SMS again, and the other version sends the same PIN.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "deploy/local/compatibility runs it"]
async fn r5_a_resend() {
    let (mut world, upgrade) = Upgrade::begin().await;
    let [release, present] = upgrade.both().await;
    for (one, other) in [(&release, &present), (&present, &release)] {
        let person = world.new_person().await;
        one.called_by(&mut world, "phone");
        let verification = world.identify(&person).await;
        let issued = world.issue("phone", &verification).await.unwrap();
        let first = texts(&world, &person, 1).await;
        other.called_by(&mut world, "phone");
        wait_until("it is sent again", async || {
            let again = world.issue("phone", &verification).await.unwrap();
            assert_eq!((again.id.as_str(), again.expire_time), (issued.id.as_str(), issued.expire_time));
            again.next_send_time != issued.next_send_time
        })
        .await;
        let second = texts(&world, &person, 2).await;
        assert_eq!(pin_in(&second[1]), pin_in(&first[0]));
    }
}

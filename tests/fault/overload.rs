//! As many calls at once as the service takes, and one more; an answer that is too large.

use std::time::Duration;

use temporary_pin::proto::temporarypin::v1::{
    CheckEligibilityRequest, ListPinRequestsRequest, Reason, RedeemTemporaryPinRequest,
};
use test_support::calls::{answer, by, uuid};
use test_support::installation::Installation;
use test_support::person::Person;
use test_support::sandbox::Sandbox;
use test_support::world::{World, until};
use tonic::{Code, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use crate::inside::Inside;

const PLACES: i64 = 4;

async fn assert_shed(world: &World, person: &Person) {
    let refusal = world.check("counter", person.reference()).await.unwrap_err();
    refusal.assert(Code::ResourceExhausted, Reason::Overloaded);
    assert!(refusal.retry_delay() > Duration::ZERO);
}

/// A call of the operator or of the redeemer, which looks at the PIN requests by a statement of its own.
fn call_of(world: &World, person: &Person, operator: bool) -> impl Future<Output = Result<(), Status>> + use<> {
    let (mut operate, mut redeem) = (world.operator_service(), world.redemption_service());
    let (reference, reason) = (Some(person.reference()), "CASE-1".to_owned());
    async move {
        if operator {
            let request = ListPinRequestsRequest { person: reference, reason };
            operate.list_pin_requests(by("operator", request)).await.map(drop)
        } else {
            let (request_id, pin) = (uuid().to_string(), "12345678".to_owned());
            let request = RedeemTemporaryPinRequest { request_id, person: reference, pin };
            redeem.redeem_temporary_pin(by("redeemer", request)).await.map(drop)
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_call_too_many_is_shed_until_another_has_ended_its_work() {
    let world = World::around(Sandbox::start(&["--people", "1", "--max-calls", &PLACES.to_string()])).await;
    let person = world.somebody().await;
    world.check("phone", person.reference()).await.unwrap();

    let lock = world.lock("pin_requests").await;
    let calls: Vec<_> = (0..PLACES).map(|number| tokio::spawn(call_of(&world, &person, number % 2 == 0))).collect();
    until("all places are taken", async || world.waiting().await == PLACES).await;
    assert_shed(&world, &person).await;

    // Health always answers.
    let health = HealthClient::new(world.channel.clone()).check(HealthCheckRequest::default()).await.unwrap();
    assert_eq!(health.into_inner().status(), ServingStatus::Serving);

    // Who goes away leaves the work behind, which keeps its place.
    for call in calls {
        call.abort();
    }
    assert_shed(&world, &person).await;
    assert_eq!(world.waiting().await, PLACES);

    drop(lock);
    until("there is a place again", async || world.check("counter", person.reference()).await.is_ok()).await;
}

/// Calls whose work does not end, or whose message never comes: they keep the others out, but not other callers.
#[tokio::test(flavor = "multi_thread")]
async fn one_caller_does_not_get_the_places_of_the_others() {
    let world = World::around(Sandbox::start(&["--people", "1", "--max-calls", &PLACES.to_string()])).await;
    let person = world.somebody().await;
    world.check("phone", person.reference()).await.unwrap();

    let lock = world.lock("pin_requests").await;
    let calls: Vec<_> = (0..PLACES).map(|_| tokio::spawn(call_of(&world, &person, true))).collect();
    until("the caller has its share", async || world.waiting().await == PLACES - 1).await;
    let other = tokio::spawn(call_of(&world, &person, false));
    until("another caller has the place that is left", async || world.waiting().await == PLACES).await;

    drop(lock);
    other.await.unwrap().unwrap();
    let mut shed = 0;
    for call in calls {
        shed += i64::from(call.await.unwrap().is_err());
    }
    assert_eq!(shed, 1);
}

/// tonic alone would find out when the headers have left, and say so without a reason.
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_too_large_is_refused_with_a_reason() {
    let world = World::around(Sandbox::start(&["--people", "1"])).await;
    let installation = Installation::new(&world.sandbox).await;
    let inside = Inside::open(world, &installation).await;
    let person = inside.world.somebody().await;
    let request = CheckEligibilityRequest { person: Some(person.reference()) };
    // The request has 14 bytes, the answer 18.
    for (limit, refused) in [(14, true), (17, true), (18, false)] {
        let (mut client, _) = inside.service(1, limit).await;
        match answer(client.check_eligibility(by("phone", request.clone())).await) {
            Err(refusal) if refused => drop(refusal.assert(Code::ResourceExhausted, Reason::MessageTooLarge)),
            Ok(_) if !refused => {}
            answer => panic!("{limit}: {answer:?}"),
        }
    }
}

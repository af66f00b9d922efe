//! More concurrent calls than permits, and a response that is too large.

use std::time::Duration;

use temporary_pin::proto::temporarypin::v1::{
    CheckEligibilityRequest, ListPinRequestsRequest, Reason, RedeemTemporaryPinRequest,
};
use test_support::calls::{answer, request_from, uuid};
use test_support::installation::Installation;
use test_support::person::Person;
use test_support::sandbox::Sandbox;
use test_support::world::{World, wait_until};
use tonic::{Code, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use crate::in_process::InProcessService;

const MAX_CALLS: i64 = 4;

async fn assert_shed(world: &World, person: &Person) {
    let refusal = world.check_eligibility("counter", person.reference()).await.unwrap_err();
    refusal.assert(Code::ResourceExhausted, Reason::Overloaded);
    assert!(refusal.retry_delay() > Duration::ZERO);
}

/// A call of the operator or of the redeemer. Each runs a statement on `pin_requests`, and so waits for a lock on it.
fn call_as(world: &World, person: &Person, is_operator: bool) -> impl Future<Output = Result<(), Status>> + use<> {
    let (mut operate, mut redeem) = (world.operator_service(), world.redemption_service());
    let (reference, reason) = (Some(person.reference()), "CASE-1".to_owned());
    async move {
        if is_operator {
            let request = ListPinRequestsRequest { person: reference, reason };
            operate.list_pin_requests(request_from("operator", request)).await.map(drop)
        } else {
            let (request_id, pin) = (uuid().to_string(), "12345678".to_owned());
            let request = RedeemTemporaryPinRequest { request_id, person: reference, pin };
            redeem.redeem_temporary_pin(request_from("redeemer", request)).await.map(drop)
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_above_the_limit_is_shed_until_another_has_ended_its_work() {
    let max_calls = MAX_CALLS.to_string();
    let world = World::with_sandbox(Sandbox::start(&["--people", &max_calls, "--max-calls", &max_calls])).await;
    let person = world.new_person().await;
    // Redemptions of one person take turns before they reach Postgres, so each call is about a person of its own.
    let mut others = Vec::new();
    for _ in 1..MAX_CALLS {
        others.push(world.new_person().await);
    }
    world.check_eligibility("phone", person.reference()).await.unwrap();

    let lock = world.lock_table("pin_requests").await;
    let calls: Vec<_> = std::iter::once(&person)
        .chain(&others)
        .zip([true, false].into_iter().cycle())
        .map(|(person, is_operator)| tokio::spawn(call_as(&world, person, is_operator)))
        .collect();
    wait_until("all permits are taken", async || world.count_waiting_statements().await == MAX_CALLS).await;
    assert_shed(&world, &person).await;

    // Health needs no permit.
    let health = HealthClient::new(world.channel.clone()).check(HealthCheckRequest::default()).await.unwrap();
    assert_eq!(health.into_inner().status(), ServingStatus::Serving);

    // The callers disconnect. The work continues and keeps its permits.
    for call in calls {
        call.abort();
    }
    assert_shed(&world, &person).await;
    assert_eq!(world.count_waiting_statements().await, MAX_CALLS);

    drop(lock);
    wait_until("there is a permit again", async || {
        world.check_eligibility("counter", person.reference()).await.is_ok()
    })
    .await;
}

/// Calls of one caller that do not end take all permits of its share. Other callers still get permits.
#[tokio::test(flavor = "multi_thread")]
async fn one_caller_cannot_take_the_permits_of_the_others() {
    let world = World::with_sandbox(Sandbox::start(&["--people", "1", "--max-calls", &MAX_CALLS.to_string()])).await;
    let person = world.new_person().await;
    world.check_eligibility("phone", person.reference()).await.unwrap();

    let lock = world.lock_table("pin_requests").await;
    let calls: Vec<_> = (0..MAX_CALLS).map(|_| tokio::spawn(call_as(&world, &person, true))).collect();
    wait_until("the caller has its share", async || world.count_waiting_statements().await == MAX_CALLS - 1).await;
    let other = tokio::spawn(call_as(&world, &person, false));
    wait_until("another caller has the last permit", async || world.count_waiting_statements().await == MAX_CALLS)
        .await;

    drop(lock);
    other.await.unwrap().unwrap();
    let mut shed = 0;
    for call in calls {
        shed += i64::from(call.await.unwrap().is_err());
    }
    assert_eq!(shed, 1);
}

/// tonic alone would notice only after it has sent the headers, and its status would have no reason.
#[tokio::test(flavor = "multi_thread")]
async fn a_response_that_is_too_large_is_refused_with_a_reason() {
    let world = World::with_sandbox(Sandbox::start(&["--people", "1"])).await;
    let installation = Installation::new(&world.sandbox).await;
    let service = InProcessService::start(world, &installation).await;
    let person = service.world.new_person().await;
    let request = CheckEligibilityRequest { person: Some(person.reference()) };
    // The request has 14 bytes, the response 18.
    for (limit, refused) in [(14, true), (17, true), (18, false)] {
        let (mut client, _) = service.client(1, limit).await;
        match answer(client.check_eligibility(request_from("phone", request.clone())).await) {
            Err(refusal) if refused => drop(refusal.assert(Code::ResourceExhausted, Reason::MessageTooLarge)),
            Ok(_) if !refused => {}
            answer => panic!("{limit}: {answer:?}"),
        }
    }
}

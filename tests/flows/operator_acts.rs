//! R9: an operator revokes and cancels. Each act is final, is audited, and the person is notified.

use chrono::TimeDelta;
use serde_json::json;
use temporary_pin::proto::temporarypin::v1::audit_event::Action;
use temporary_pin::proto::temporarypin::v1::redeem_temporary_pin_response::Outcome;
use temporary_pin::proto::temporarypin::v1::{
    AuditEvent, Notice, Reason, access_hold, cancel_access_request_response, pin_request, revoke_temporary_pin_response,
};
use test_support::operator::{REASON, says_access_was_cancelled, says_pin_was_revoked};
use test_support::person::unknown_person;
use test_support::world::World;

#[tokio::test]
async fn r9_a_revoked_pin_stays_revoked_and_the_person_is_notified() {
    use revoke_temporary_pin_response::Outcome::{NoOpenPin, Revoked};
    let world = World::start().await;
    let person = world.new_person().await;
    let pin = world.order_pin(&person).await;

    let answer = world.revoke_temporary_pin(person.reference()).await.unwrap();

    assert_eq!((answer.outcome(), answer.notice()), (Revoked, Notice::Queued));
    let redeemed = world.redeem(person.reference(), &pin).await.unwrap();
    assert_eq!(redeemed.outcome(), Outcome::Revoked, "the right PIN does not help any more");
    assert_eq!(world.check_eligibility("phone", person.reference()).await.unwrap().open_pin_request, None);
    let texts = world.texts(&person).await;
    assert_eq!(texts.len(), 2);
    assert!(says_pin_was_revoked(&texts[1]), "{texts:?}");

    let again = world.revoke_temporary_pin(person.reference()).await.unwrap();
    assert_eq!((again.outcome(), again.notice()), (NoOpenPin, Notice::Unspecified));
    assert_eq!(world.texts(&person).await.len(), 2, "one notice");
    let record = world.list_pin_requests(person.reference()).await.unwrap().pin_requests.swap_remove(0);
    assert_eq!(record.pin_request.unwrap().state(), pin_request::State::Revoked);
    assert_eq!(record.revoke_reason, REASON);
    let events = world.list_audit_events(person.reference()).await.unwrap().audit_events;
    let revoked: Vec<&AuditEvent> = events.iter().filter(|event| event.action() == Action::PinRevoked).collect();
    assert_eq!(revoked.len(), 1);
    assert_eq!(revoked[0].reason, REASON);

    world.order_pin(&person).await;
}

#[tokio::test]
async fn r9_a_revoked_pin_that_is_not_sent_yet_is_never_sent() {
    let world = World::start().await;
    let person = world.new_person().await;
    let verification = world.identify(&person).await;
    world.sandbox.post("/gateway", json!({ "mode": "down" })).await;
    world.issue("phone", &verification).await.unwrap();

    world.revoke_temporary_pin(person.reference()).await.unwrap();

    world.sandbox.post("/gateway", json!({ "mode": "accept" })).await;
    world.advance(TimeDelta::minutes(5)).await;
    let texts = world.texts(&person).await;
    assert_eq!(texts.len(), 1, "{texts:?}");
    assert!(says_pin_was_revoked(&texts[0]), "{texts:?}");
}

#[tokio::test]
async fn r9_cancelled_access_must_be_requested_again_and_the_person_is_notified() {
    use cancel_access_request_response::Outcome::{Cancelled, NoOpenRequest};
    let world = World::start().await;
    let person = world.new_person().await;
    world.log_in(&person).await;
    world.advance(TimeDelta::hours(25)).await;
    let passed = world.log_in(&person).await;
    assert_eq!(passed.access_hold.unwrap().state(), access_hold::State::Passed);

    let answer = world.cancel_access_request(person.references().pop().unwrap()).await.unwrap();

    assert_eq!((answer.outcome(), answer.notice()), (Cancelled, Notice::Queued));
    let refusal = world.issue("web", &passed.verification_id).await.unwrap_err();
    refusal.assert_precondition(Reason::AccessNotRequested);
    let check = world.check_eligibility("web", person.reference()).await.unwrap();
    assert_eq!(check.access_hold.unwrap().state(), access_hold::State::None);
    assert!(says_access_was_cancelled(world.texts(&person).await.last().unwrap()));
    let again = world.cancel_access_request(person.reference()).await.unwrap();
    assert_eq!((again.outcome(), again.notice()), (NoOpenRequest, Notice::Unspecified));

    let hold = world.log_in(&person).await.access_hold.unwrap();
    assert_eq!(hold.state(), access_hold::State::Running, "a new hold starts");
}

/// As if Redis had been down when the hold was cancelled.
#[tokio::test]
async fn r9_a_cancelled_hold_that_is_still_in_redis_gets_no_pin() {
    let world = World::start().await;
    let person = world.new_person().await;
    world.log_in(&person).await;
    let key = world.redis_keys().await.into_iter().find(|key| key.ends_with(":hold")).unwrap();
    world.advance(TimeDelta::hours(25)).await;
    let passed = world.log_in(&person).await;
    let hold: String = redis::AsyncCommands::get(&mut world.redis().await, &key).await.unwrap();
    world.cancel_access_request(person.reference()).await.unwrap();
    assert!(!world.redis_keys().await.contains(&key), "Redis has forgotten the hold");
    redis::AsyncCommands::set::<_, _, ()>(&mut world.redis().await, &key, hold).await.unwrap();

    let refusal = world.issue("web", &passed.verification_id).await.unwrap_err();

    refusal.assert_precondition(Reason::AccessNotRequested);
}

#[tokio::test]
async fn r9_ending_nothing_answers_the_same_for_known_and_unknown_persons() {
    let world = World::start().await;
    let person = world.new_person().await;
    for reference in person.references().into_iter().chain([unknown_person()]) {
        let revoked = world.revoke_temporary_pin(reference.clone()).await.unwrap();
        assert_eq!(revoked.outcome(), revoke_temporary_pin_response::Outcome::NoOpenPin);
        let cancelled = world.cancel_access_request(reference).await.unwrap();
        assert_eq!(cancelled.outcome(), cancel_access_request_response::Outcome::NoOpenRequest);
    }
    assert_eq!(world.actions(&person).await, [Action::AuditEventsLookedUp], "no act is recorded");
    assert_eq!(world.texts(&person).await, [""; 0]);
}

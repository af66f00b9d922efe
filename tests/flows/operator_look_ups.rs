//! Operators look into a person's case: what they see, what they never see, and that each look-up is recorded.

use chrono::TimeDelta;
use temporary_pin::proto::temporarypin::v1::audit_event::{Action, Purpose};
use temporary_pin::proto::temporarypin::v1::pin_request::{DispatchState, State};
use temporary_pin::proto::temporarypin::v1::{
    AuditEvent, Channel, GetPinRequestRequest, GetPinRequestResponse, ListAuditEventsRequest, PinRequestRecord, Reason,
    access_request_record,
};
use test_support::acts::wrong;
use test_support::calls::{Answer, answer, request_from, time, uuid};
use test_support::operator::REASON;
use test_support::person::{Person, unknown_person};
use test_support::world::World;
use tonic::Code;

/// The state of the PIN request.
fn state(record: &PinRequestRecord) -> State {
    record.pin_request.as_ref().unwrap().state()
}

async fn get(world: &World, id: &str) -> Answer<GetPinRequestResponse> {
    let request = GetPinRequestRequest { pin_request_id: id.into(), reason: REASON.into() };
    answer(world.operator_service().get_pin_request(request_from("operator", request)).await)
}

#[tokio::test]
async fn r9_pin_requests_are_listed_by_either_identifier_the_latest_first() {
    let world = World::start().await;
    let (person, other) = (world.new_person().await, world.new_person().await);
    world.order_pin(&other).await;
    let pin = world.order_pin(&person).await;
    world.redeem(person.reference(), &wrong(&pin)).await.unwrap();
    world.redeem(person.reference(), &pin).await.unwrap();
    world.order_pin(&person).await;
    world.advance(TimeDelta::minutes(11)).await;
    world.order_pin(&person).await;

    for reference in person.references() {
        let listed = world.list_pin_requests(reference).await.unwrap().pin_requests;
        assert_eq!(listed.iter().map(state).collect::<Vec<_>>(), [State::Open, State::Expired, State::Redeemed]);
        let (open, redeemed) = (listed[0].pin_request.as_ref().unwrap(), &listed[2]);
        assert_eq!((open.channel(), open.dispatch_state()), (Channel::Phone, DispatchState::Accepted));
        assert!(open.masked_mobile_number.contains("**"), "{open:?}");
        assert_eq!((redeemed.tries, listed[0].tries), (2, 0));
        assert!(redeemed.close_time.is_some() && listed[0].close_time.is_none());
        assert_eq!(get(&world, &open.id).await.unwrap().pin_request.as_ref(), Some(&listed[0]));
    }
    assert_eq!(get(&world, &uuid().to_string()).await.unwrap().pin_request, None);
}

#[tokio::test]
async fn r9_access_requests_are_listed_the_latest_first() {
    let world = World::start().await;
    let person = world.new_person().await;
    let hold = world.log_in(&person).await.access_hold.unwrap();
    world.cancel_access_request(person.reference()).await.unwrap();
    world.advance(TimeDelta::seconds(1)).await;
    world.log_in(&person).await;

    let listed = world.list_access_requests(person.reference()).await.unwrap().access_requests;

    use access_request_record::State::{Cancelled, Expired, Open};
    assert_eq!(listed.iter().map(|request| request.state()).collect::<Vec<_>>(), [Open, Cancelled]);
    assert_eq!((listed[1].request_time, listed[1].eligible_time), (hold.request_time, hold.eligible_time));
    assert!(listed[1].close_time.is_some());
    world.advance(TimeDelta::hours(48)).await;
    let listed = world.list_access_requests(person.reference()).await.unwrap().access_requests;
    assert_eq!(listed[0].state(), Expired);
}

/// CJEU C-579/21: the person may learn when and why their data was looked up, but not by which operator.
#[tokio::test]
async fn r9_every_look_up_is_recorded_with_purpose_and_reason_but_without_the_operator() {
    let world = World::start().await;
    let person = world.new_person().await;
    world.list_pin_requests(person.reference()).await.unwrap();
    world.list_access_requests(person.reference()).await.unwrap();
    world.list_limits(person.reference()).await.unwrap();
    world.get_person_block(person.reference()).await.unwrap();
    let before = world.now().await;

    let listed = world.list_audit_events(person.reference()).await.unwrap();

    let actions: Vec<Action> = listed.audit_events.iter().map(AuditEvent::action).collect();
    assert_eq!(
        actions,
        [
            Action::AuditEventsLookedUp,
            Action::BlockLookedUp,
            Action::LimitsLookedUp,
            Action::AccessRequestsLookedUp,
            Action::PinRequestsLookedUp,
        ]
    );
    assert!(time(listed.audit_events[0].event_time) >= before);
    for event in &listed.audit_events {
        assert_eq!(
            (event.purpose(), &*event.reason, event.channel()),
            (Purpose::Operation, REASON, Channel::Unspecified)
        );
    }
    let recorded = "SELECT count(*) FROM audit_events JOIN audit_operators ON audit_event_id = id
        WHERE caller = 'operator' AND operator = 'operator' AND reason = $1";
    let recorded: i64 = sqlx::query_scalar(recorded).bind(REASON).fetch_one(&mut world.database().await).await.unwrap();
    assert_eq!(recorded, 5);
}

#[tokio::test]
async fn r9_acts_of_the_channels_are_listed_with_their_purpose_and_channel() {
    let world = World::start().await;
    let person = world.new_person().await;
    let pin = world.order_pin(&person).await;
    world.redeem(person.reference(), &wrong(&pin)).await.unwrap();
    world.redeem(person.reference(), &pin).await.unwrap();
    world.log_in(&person).await;

    let listed = world.list_audit_events(person.reference()).await.unwrap().audit_events;

    let listed: Vec<_> = listed.iter().map(|event| (event.action(), event.purpose(), event.channel())).collect();
    assert_eq!(
        listed[1..],
        [
            (Action::AccessRequested, Purpose::Issuance, Channel::Web),
            (Action::IdentityVerified, Purpose::Identification, Channel::Web),
            (Action::PinRedeemed, Purpose::Redemption, Channel::Unspecified),
            (Action::PinRefused, Purpose::Redemption, Channel::Unspecified),
            (Action::PinIssued, Purpose::Issuance, Channel::Phone),
            (Action::IdentityVerified, Purpose::Identification, Channel::Phone),
            (Action::QuestionsAsked, Purpose::Identification, Channel::Phone),
        ]
    );
}

async fn page(world: &World, person: &Person, page_size: i32, page_token: &str) -> Answer<(Vec<AuditEvent>, String)> {
    let request = ListAuditEventsRequest {
        person: Some(person.reference()),
        reason: REASON.into(),
        page_size,
        page_token: page_token.into(),
    };
    let answer = answer(world.operator_service().list_audit_events(request_from("operator", request)).await)?;
    Ok((answer.audit_events, answer.next_page_token))
}

#[tokio::test]
async fn audit_events_come_in_pages() {
    let world = World::start().await;
    let (person, other) = (world.new_person().await, world.new_person().await);
    for _ in 0..4 {
        world.get_person_block(person.reference()).await.unwrap();
        world.get_person_block(other.reference()).await.unwrap();
    }

    let (first, token) = page(&world, &person, 3, "").await.unwrap();
    let (second, end) = page(&world, &person, 3, &token).await.unwrap();

    assert_eq!((first.len(), second.len(), &*end), (3, 2, ""));
    assert_eq!(first[0].action(), Action::AuditEventsLookedUp);
    assert!(first[1..].iter().chain(&second).all(|event| event.action() == Action::BlockLookedUp));
    for (person, token) in [(&other, &*token), (&person, "x"), (&person, "!"), (&person, &token[1..])] {
        let refusal = page(&world, person, 3, token).await.unwrap_err();
        refusal.assert(Code::InvalidArgument, Reason::InvalidField);
        assert_eq!(refusal.fields(), ["page_token"]);
    }
}

/// Rows are stored under the given identifier, so an operator finds them although the register does not know the person.
#[tokio::test]
async fn r9_an_unknown_person_is_looked_up_by_the_given_identifier() {
    let world = World::start().await;
    let person = world.new_person().await;
    assert_eq!(world.list_pin_requests(unknown_person()).await.unwrap().pin_requests, []);
    let failed = world.call_support_with(unknown_person(), person.document()).await.unwrap();
    assert_eq!(failed.reasons().collect::<Vec<_>>(), [Reason::IdentityNotConfirmed]);

    let listed = world.list_audit_events(unknown_person()).await.unwrap().audit_events;

    let actions: Vec<Action> = listed.iter().map(AuditEvent::action).collect();
    assert_eq!(actions, [Action::AuditEventsLookedUp, Action::IdentityRejected, Action::PinRequestsLookedUp]);
    let limits = world.list_limits(unknown_person()).await.unwrap().limits;
    assert_eq!(
        limits.iter().map(|limit| limit.spent).collect::<Vec<_>>(),
        [0, 1, 0, 0],
        "wrong tries, failed verifications by phone and at the counter, and PINs; there is no mobile number"
    );
}

//! Operators during an outage: they can still stop a PIN or an access request, but not give anything back.

use rstest::rstest;
use temporary_pin::proto::temporarypin::v1::redeem_temporary_pin_response::Outcome;
use temporary_pin::proto::temporarypin::v1::{
    Notice, PersonLimit, Reason, block_person_response, cancel_access_request_response, revoke_temporary_pin_response,
};
use test_support::calls::Answer;
use test_support::operator::{says_access_was_cancelled, says_pin_was_revoked};
use test_support::person::Person;
use test_support::world::World;
use tonic::Code;

use crate::faulty_sandbox::FaultySandbox;

#[track_caller]
fn assert_unavailable<T>(answer: Answer<T>) {
    answer.err().expect("no answer without the dependency").assert(Code::Unavailable, Reason::Unavailable);
}

/// Revokes, cancels and blocks by MitID UUID. Returns for each act whether the person is notified.
async fn stop_everything(world: &World, [pin, access, both]: [&Person; 3]) -> [Notice; 3] {
    let reference = |person: &Person| person.references().pop().unwrap();
    let revoked = world.revoke_temporary_pin(reference(pin)).await.unwrap();
    assert_eq!(revoked.outcome(), revoke_temporary_pin_response::Outcome::Revoked);
    let cancelled = world.cancel_access_request(reference(access)).await.unwrap();
    assert_eq!(cancelled.outcome(), cancel_access_request_response::Outcome::Cancelled);
    let blocked = world.block_person(reference(both)).await.unwrap();
    assert_eq!(blocked.outcome(), block_person_response::Outcome::Blocked);
    [revoked.notice(), cancelled.notice(), blocked.notice()]
}

#[rstest]
#[case::redis_down(true)]
#[case::register_down(false)]
#[tokio::test(flavor = "multi_thread")]
async fn r9_operators_can_stop_pins_and_access_during_an_outage(#[case] without_redis: bool) {
    let faulty = FaultySandbox::start(10).await;
    let world = &faulty.world;
    let (pin, access, both) = (world.new_person().await, world.new_person().await, world.new_person().await);
    let typed = world.order_pin(&pin).await;
    world.log_in(&access).await;
    world.log_in(&both).await;
    let blocked_pin = world.order_pin(&both).await;
    if without_redis {
        faulty.redis.refuse();
    } else {
        world.set_mode("/register", "down").await;
        assert_unavailable(world.block_person(both.reference()).await);
    }

    let notices = stop_everything(world, [&pin, &access, &both]).await;

    faulty.restore_all().await;
    assert_eq!(notices, [if without_redis { Notice::Queued } else { Notice::NotSent }; 3]);
    for (person, typed) in [(&pin, &typed), (&both, &blocked_pin)] {
        let outcome = world.redeem(person.references().pop().unwrap(), typed).await.unwrap().outcome();
        assert_eq!(outcome, Outcome::Revoked);
    }
    for person in [&access, &both] {
        let answer = world.check_eligibility("web", person.reference()).await.unwrap();
        assert!(answer.access_hold.unwrap().request_time.is_none());
    }
    let texts = world.texts(&both).await;
    let revoking = texts.iter().filter(|text| says_pin_was_revoked(text)).count();
    let cancelling = texts.iter().filter(|text| says_access_was_cancelled(text)).count();
    assert_eq!((revoking, cancelling), if without_redis { (1, 1) } else { (0, 0) }, "{texts:?}");
}

/// Look-ups need Redis, which limits how often an operator looks up. So do acts that give a person something back.
#[tokio::test(flavor = "multi_thread")]
async fn r26_look_ups_and_resets_need_every_dependency() {
    let faulty = FaultySandbox::start(1).await;
    let world = &faulty.world;
    let person = world.new_person().await;
    let by_uuid = || person.references().pop().unwrap();
    world.block_person(by_uuid()).await.unwrap();
    faulty.redis.refuse();
    assert_unavailable(world.list_pin_requests(by_uuid()).await);
    assert_unavailable(world.list_limits(by_uuid()).await);
    assert_unavailable(world.unblock_person(by_uuid()).await);
    assert_unavailable(world.try_reset_limit(by_uuid(), PersonLimit::WrongTries).await);
    faulty.restore_all().await;
    world.set_mode("/register", "down").await;
    world.list_pin_requests(by_uuid()).await.unwrap();
    assert_unavailable(world.list_limits(by_uuid()).await);
    assert_unavailable(world.list_pin_requests(person.reference()).await);
    faulty.postgres.refuse();
    assert_unavailable(world.get_person_block(by_uuid()).await);
}

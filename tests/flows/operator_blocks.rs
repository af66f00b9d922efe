//! A blocked person gets no PIN, in no channel, until an operator ends the block (R9).

use chrono::TimeDelta;
use serde_json::json;
use temporary_pin::proto::temporarypin::v1::audit_event::Action;
use temporary_pin::proto::temporarypin::v1::channel_eligibility::Status;
use temporary_pin::proto::temporarypin::v1::redeem_temporary_pin_response::Outcome as Redeemed;
use temporary_pin::proto::temporarypin::v1::{
    Notice, Reason, block_person_response, get_person_block_response, unblock_person_response,
};
use test_support::acts::{QUESTIONS, right_answer};
use test_support::calls::time;
use test_support::operator::{REASON, says_access_was_cancelled, says_pin_was_revoked};
use test_support::person::{Person, unknown_person};
use test_support::world::World;

async fn block(world: &World, person: &Person) -> Notice {
    let answer = world.block_person(person.reference()).await.unwrap();
    assert_eq!(answer.outcome(), block_person_response::Outcome::Blocked);
    answer.notice()
}

async fn unblock(world: &World, person: &Person) {
    let answer = world.unblock_person(person.reference()).await.unwrap();
    assert_eq!(answer.outcome(), unblock_person_response::Outcome::Unblocked);
}

#[tokio::test]
async fn r9_a_blocked_person_is_refused_in_every_channel_and_at_every_step() {
    let world = World::start().await;
    let person = world.new_person().await;
    let verified = world.identify(&person).await;
    let response = world.begin_questions(&person).await;
    let witness_person = world.person("witness").await;

    assert_eq!(block(&world, &person).await, Notice::Unspecified);

    for (index, channel) in ["web", "phone", "counter"].into_iter().enumerate() {
        let answer = world.check_eligibility(channel, person.reference()).await.unwrap();
        assert!(answer.channels.iter().all(|entry| entry.status() == Status::NotEligible), "{answer:?}");
        assert!(answer.channels[index].reasons().any(|reason| reason == Reason::PersonBlocked), "{answer:?}");
    }
    world.issue("phone", &verified).await.unwrap_err().assert_precondition(Reason::PersonBlocked);
    let answered = world.answer("phone", &response, |_, question| right_answer(&person, question)).await;
    answered.unwrap_err().assert_precondition(Reason::PersonBlocked);
    world.try_log_in(&person, json!({})).await.unwrap_err().assert_precondition(Reason::PersonBlocked);
    world.call_support(&person).await.unwrap_err().assert_precondition(Reason::PersonBlocked);
    for confirmation in [QUESTIONS, world.vouches(&witness_person).await] {
        let visit = world.counter_evidence(&person, confirmation).await;
        world.visit_counter(visit).await.unwrap_err().assert_precondition(Reason::PersonBlocked);
    }
    assert_eq!(world.list_access_requests(person.reference()).await.unwrap().access_requests, [], "no hold has begun");
    assert_eq!(world.texts(&person).await, [""; 0]);

    unblock(&world, &person).await;
    world.issue("phone", &verified).await.unwrap();
}

/// The caller must not learn why the person is blocked.
#[tokio::test]
async fn r9_a_refusal_does_not_tell_why_the_person_is_blocked() {
    let world = World::start().await;
    let person = world.new_person().await;
    let verified = world.identify(&person).await;
    block(&world, &person).await;
    let refusal = world.issue("phone", &verified).await.unwrap_err();
    assert!(!format!("{:?}", refusal.details).contains(REASON));
    assert_eq!(refusal.until, None);
    // Before the person is identified, the answer does not mention the block.
    world.fail_verification(&person).await;
}

#[tokio::test]
async fn r9_blocking_ends_an_open_pin_and_an_open_access_request() {
    let world = World::start().await;
    let person = world.new_person().await;
    world.log_in(&person).await;
    let pin = world.order_pin(&person).await;

    assert_eq!(block(&world, &person).await, Notice::Queued);

    assert_eq!(world.redeem(person.reference(), &pin).await.unwrap().outcome(), Redeemed::Revoked);
    let texts = world.texts(&person).await;
    assert_eq!(texts.iter().filter(|text| says_pin_was_revoked(text)).count(), 1, "{texts:?}");
    assert_eq!(texts.iter().filter(|text| says_access_was_cancelled(text)).count(), 1, "{texts:?}");
    unblock(&world, &person).await;
    assert_eq!(
        world.redeem(person.reference(), &pin).await.unwrap().outcome(),
        Redeemed::Revoked,
        "the PIN stays revoked"
    );
    let check = world.check_eligibility("web", person.reference()).await.unwrap();
    assert_eq!(check.channels[0].reasons().collect::<Vec<_>>(), [Reason::AccessNotRequested]);
    let actions = world.actions(&person).await;
    assert_eq!(actions[1..5], [Action::PinRefused, Action::PersonUnblocked, Action::PinRefused, Action::PinRevoked]);
}

#[tokio::test]
async fn r9_a_repeated_block_keeps_the_first_reason_and_says_so() {
    let world = World::start().await;
    let person = world.new_person().await;
    let state = async || world.get_person_block(person.reference()).await.unwrap();
    assert_eq!(state().await.state(), get_person_block_response::State::NotBlocked);
    let before = world.now().await;
    block(&world, &person).await;
    world.advance(TimeDelta::hours(1)).await;

    let again = world.block_person(person.references().pop().unwrap()).await.unwrap();

    assert_eq!(again.outcome(), block_person_response::Outcome::AlreadyBlocked);
    let block = state().await;
    assert_eq!((block.state(), &*block.block_reason), (get_person_block_response::State::Blocked, REASON));
    assert!(time(block.block_time) - before < TimeDelta::minutes(1));
    unblock(&world, &person).await;
    let again = world.unblock_person(person.reference()).await.unwrap();
    assert_eq!(again.outcome(), unblock_person_response::Outcome::NotBlocked);
    let blocks = world.actions(&person).await;
    let count = |action| blocks.iter().filter(|recorded| **recorded == action).count();
    assert_eq!((count(Action::PersonBlocked), count(Action::PersonUnblocked)), (1, 1));
}

/// An operator can block a CPR number that the register does not know, or does not know yet.
#[tokio::test]
async fn r9_an_identifier_that_the_register_does_not_know_can_be_blocked() {
    let world = World::start().await;
    world.block_person(unknown_person()).await.unwrap();
    let block = world.get_person_block(unknown_person()).await.unwrap();
    assert_eq!(block.state(), get_person_block_response::State::Blocked);
}

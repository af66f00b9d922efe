//! R12: a look-up continues with the number that replaced a CPR number.

use temporary_pin::domain::cpr::CprStatus;
use temporary_pin::domain::person::{MitidUuid, PersonReference};
use temporary_pin::proto::identityregister::v1 as proto;
use temporary_pin::register::RegisterUnavailable;

use crate::{CPR, MITID, World, by_cpr, person};

/// The status of a number that was replaced.
const REPLACED: &str = "60";

/// One more than the look-up follows.
const NUMBERS: [&str; 5] = [CPR, "0202605888", "0303605888", "0404605888", "0505605888"];

/// A register in which each number was replaced by the next number. The last number is valid.
async fn register_with_chain(numbers: &[&str]) -> World {
    let world = World::new().await;
    for (index, number) in numbers.iter().enumerate() {
        let mut person = proto::Person { cpr_number: (*number).into(), ..person() };
        if let Some(successor) = numbers.get(index + 1) {
            person.cpr_status = REPLACED.into();
            person.successor_cpr_number = (*successor).into();
        }
        world.fake.state().people.insert((*number).into(), person);
    }
    world
}

#[tokio::test]
async fn r12_up_to_three_replaced_numbers_are_followed() {
    for length in 2..=4 {
        let world = register_with_chain(&NUMBERS[..length]).await;
        let person = world.look_up().await.unwrap().unwrap();
        assert_eq!(person.cpr_number.unwrap().digits(), NUMBERS[length - 1]);
        assert_eq!(person.cpr_status, Some(CprStatus::ActiveDenmark));
        assert_eq!(world.fake.calls(), length);
    }
}

#[tokio::test]
async fn r12_a_longer_chain_is_refused() {
    let world = register_with_chain(&NUMBERS).await;
    assert_eq!(world.look_up().await.unwrap_err(), RegisterUnavailable);
}

#[tokio::test]
async fn r12_a_loop_is_refused() {
    let world = register_with_chain(&[NUMBERS[0], NUMBERS[1], NUMBERS[0]]).await;
    // The last number overwrote the first one: store the first number as replaced again.
    let first = proto::Person { cpr_status: REPLACED.into(), successor_cpr_number: NUMBERS[1].into(), ..person() };
    world.fake.state().people.insert(CPR.into(), first);
    assert_eq!(world.look_up().await.unwrap_err(), RegisterUnavailable);
    // The first number, and three successors.
    assert_eq!(world.fake.calls(), 4);
}

#[tokio::test]
async fn r12_a_replaced_number_without_a_successor_keeps_its_status() {
    let world = World::knowing(|person| person.cpr_status = REPLACED.into()).await;
    assert_eq!(world.look_up().await.unwrap().unwrap().cpr_status, Some(CprStatus::Changed));
}

/// A deleted duplicate names the number that remains.
#[tokio::test]
async fn r12_a_deleted_number_leads_to_its_successor() {
    let world = register_with_chain(&NUMBERS[..3]).await;
    for number in &NUMBERS[..2] {
        world.fake.state().people.get_mut(*number).unwrap().cpr_status = "50".into();
    }
    assert_eq!(world.look_up().await.unwrap().unwrap().cpr_number.unwrap().digits(), NUMBERS[2]);
}

#[tokio::test]
async fn r12_an_unknown_successor_is_refused() {
    let world = register_with_chain(&NUMBERS[..2]).await;
    world.fake.state().people.remove(NUMBERS[1]);
    assert_eq!(world.look_up().await.unwrap_err(), RegisterUnavailable);
}

#[tokio::test]
async fn r12_a_successor_with_another_mitid_account_is_refused() {
    let world = register_with_chain(&NUMBERS[..2]).await;
    world.fake.state().people.get_mut(NUMBERS[1]).unwrap().mitid_account.as_mut().unwrap().mitid_uuid =
        "11111111-1111-4111-8111-111111111111".into();
    assert_eq!(world.look_up().await.unwrap_err(), RegisterUnavailable);
}

#[tokio::test]
async fn r12_a_look_up_by_mitid_uuid_follows_a_replaced_number_too() {
    let world = register_with_chain(&NUMBERS[..2]).await;
    let replaced = world.fake.state().people[CPR].clone();
    world.fake.state().people.insert(MITID.into(), replaced);
    let reference = PersonReference::Mitid(MitidUuid(MITID.parse().unwrap()));
    let person = world.register.look_up_person(&reference).await.unwrap().unwrap();
    assert_eq!(person.cpr_number.unwrap().digits(), NUMBERS[1]);
    assert!(world.register.look_up_person(&by_cpr(NUMBERS[1])).await.unwrap().is_some());
}

//! The status of persons is the same whether it is read alone or in a batch.

use futures_util::future::join_all;
use sqlx::PgPool;
use temporary_pin::domain::hold::{Hold, HoldRules};
use temporary_pin::domain::person::{MobileKey, PersonKey};
use temporary_pin::domain::reason::Reason;
use temporary_pin::domain::rule_settings::{Limit, LimitRules, Rules};
use temporary_pin::store::eligibility::{PersonQuery, PersonStatus, PersonStatusReader};
use temporary_pin::store::issuing::PinOrder;
use temporary_pin::store::operators::person_blocks::{BlockNotices, BlockOrder, block_person};
use temporary_pin::store::verifying::verifications::{VerificationState, record};
use test_support::store::*;

const ONCE: Limit = Limit { times: 1, per: DAY };

fn reader(pool: &PgPool) -> PersonStatusReader {
    let limits =
        LimitRules { failed_verifications: ONCE, person_pins: ONCE, mobile_pins: ONCE, ..LimitRules::default() };
    PersonStatusReader::new(pool.clone(), &Rules { limits, ..Rules::default() }, LEAST_VALIDITY)
}

/// Stores something about a person, by `kind`, and returns the status that follows from it.
async fn store_status(pool: &PgPool, kind: usize, person: PersonKey) -> PersonStatus {
    let until = Some(t0() + DAY);
    match kind {
        0 => {
            let open_pin_request = Some(issued(pool, person, t0()).await);
            PersonStatus { open_pin_request, person_until: until, mobile_until: until, ..Default::default() }
        }
        1 => {
            log_in_and_request_access(pool, person, person.0[0], t0()).await;
            PersonStatus { hold: Some(Hold::start(t0(), &HoldRules::default())), ..Default::default() }
        }
        2 => {
            let run = verification(person, VerificationState::Rejected(Reason::IdentityNotConfirmed), t0());
            record(pool, &run, &LIMITS).await.unwrap();
            PersonStatus { failed_phone_until: until, ..Default::default() }
        }
        3 => {
            let order = BlockOrder { keys: &[other_key(person)], operator: "olga", reason: "fraud", now: t0() };
            block_person(pool, &order, BlockNotices::default()).await.unwrap();
            PersonStatus { is_blocked: true, ..Default::default() }
        }
        _ => PersonStatus::default(),
    }
}

/// The pseudonym under which the block of a person is stored.
fn other_key(person: PersonKey) -> PersonKey {
    PersonKey([person.0[0]; 32].map(|byte| !byte))
}

#[sqlx::test]
async fn a_status_in_a_batch_is_the_same_as_alone(pool: PgPool) {
    let mut expected = Vec::new();
    let mut queries = Vec::new();
    for number in 0..100 {
        let person = PersonKey([number; 32]);
        expected.push(store_status(&pool, usize::from(number) % 5, person).await);
        queries.push(PersonQuery { keys: vec![person, other_key(person)], ..subject(person, t0()) });
    }
    let reader = reader(&pool);
    let together = join_all(queries.iter().map(|query| reader.read(query.clone()))).await;
    assert_eq!(together.into_iter().collect::<Result<Vec<_>, _>>().unwrap(), expected);
    for (query, expected) in queries.into_iter().zip(expected).take(5) {
        assert_eq!(reader.read(query).await.unwrap(), expected);
    }
}

#[sqlx::test]
async fn one_person_can_be_read_several_times_in_a_batch_at_different_times(pool: PgPool) {
    let view = issued(&pool, PERSON, t0()).await;
    let reader = reader(&pool);
    let at = |now| reader.read(subject(PERSON, now));
    let (first, now, later, at_last) = tokio::join!(at(t0()), at(t0()), at(view.expire_time), at(t0() + DAY));
    let open = PersonStatus {
        person_until: Some(t0() + DAY),
        mobile_until: Some(t0() + DAY),
        open_pin_request: Some(view),
        ..Default::default()
    };
    assert_eq!((first.unwrap(), now.unwrap()), (open.clone(), open.clone()));
    assert_eq!(later.unwrap(), PersonStatus { open_pin_request: None, ..open });
    assert_eq!(at_last.unwrap(), PersonStatus::default());
}

#[sqlx::test]
async fn without_a_mobile_number_there_is_no_mobile_limit(pool: PgPool) {
    let verification = verified(&pool, OTHER, t0()).await;
    let order = PinOrder { mobile: MobileKey(PERSON.0), ..order(OTHER, verification, t0()) };
    issue(&pool, &order).await.unwrap();
    let reader = reader(&pool);
    assert_eq!(reader.read(subject(PERSON, t0())).await.unwrap().mobile_until, Some(t0() + DAY));
    let without = PersonQuery { mobile: None, ..subject(PERSON, t0()) };
    assert_eq!(reader.read(without).await.unwrap(), PersonStatus::default());
}

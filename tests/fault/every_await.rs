//! Drops calls at each of their awaits: after the first poll, after the second, and so on until a call ends before it is
//! dropped. Nothing may be half done, and a repeat of the call must give one outcome.
//!
//! The tests run on one thread, so that no response arrives between a request to a dependency and the next poll. On several
//! threads some responses would arrive before the poll, and the call would have fewer awaits than requests.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use temporary_pin::domain::cpr::CprNumber;
use temporary_pin::domain::person::PersonReference;
use temporary_pin::domain::pin::Pin;
use temporary_pin::domain::stated_reason::StatedReason;
use temporary_pin::guard::Bucket;
use temporary_pin::issuance::{IssueOrder, Operation, RedeemOrder, RedeemOutcome, Refusal};
use temporary_pin::proto::temporarypin::v1::IssueTemporaryPinRequest;
use test_support::acts::{pin_in, wrong};
use test_support::calls::uuid;
use test_support::installation::Installation;
use test_support::person::Person;
use test_support::sandbox::Sandbox;
use test_support::world::World;

use crate::in_process::{InProcessService, now};

/// More than the awaits of any call.
const MAX_POLLS: usize = 200;

/// Polls `work` at most `max_polls` times, then drops it. `None` if it had not ended by then.
async fn poll_at_most<F: Future>(max_polls: usize, work: F) -> Option<F::Output> {
    let (mut work, mut polls) = (pin!(work), 0);
    poll_fn(|context| {
        polls += 1;
        match work.as_mut().poll(context) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending if polls == max_polls => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

fn reference(person: &Person) -> PersonReference {
    PersonReference::Cpr(CprNumber::parse(person.0["cpr_number"].as_str().unwrap()).unwrap())
}

#[tokio::test]
async fn an_order_dropped_at_any_await_leaves_nothing_half_done() {
    let world = World::with_sandbox(Sandbox::start(&["--people", &MAX_POLLS.to_string()])).await;
    let installation = Installation::new(&world.sandbox).await;
    let service = InProcessService::start(world, &installation).await;
    let (mut people, mut dropped) = (Vec::new(), 0);
    for polls in 1..MAX_POLLS {
        let person = service.world.new_person().await;
        let verification_id = service.world.identify_with_separate_agent(&person).await;
        let order = IssueOrder { request_id: uuid(), verification_id, language: None };
        let done = poll_at_most(polls, service.issuance.issue_temporary_pin(&service.call(), &order)).await;
        service.count_recorded_orders().await;

        let repeated = service.issuance.issue_temporary_pin(&service.call(), &order).await.unwrap();
        let again = service.issuance.issue_temporary_pin(&service.call(), &order).await.unwrap();
        assert_eq!(repeated, again);
        assert_eq!(service.spent(Bucket::PersonPins(service.key(&person))).await, 1);
        people.push(person);
        assert_eq!(service.count_recorded_orders().await, people.len() as i64);
        match done {
            Some(first) => {
                assert_eq!(first.unwrap().id, repeated.id);
                break;
            }
            None => dropped += 1,
        }
    }
    assert!(dropped >= 3, "Redis, the register, Postgres: {dropped} awaits");
    for person in &people {
        assert_eq!(service.texts(person).await.len(), 1, "{}", person.id());
    }
}

/// A caller of the gRPC service disconnects: the use case continues in its own task.
#[tokio::test]
async fn an_order_whose_caller_disconnects_at_any_await_is_recorded() {
    let world = World::with_sandbox(Sandbox::start(&["--people", &MAX_POLLS.to_string()])).await;
    let installation = Installation::new(&world.sandbox).await;
    let service = InProcessService::start(world, &installation).await;
    let (mut client, calls) = service.client(1, 65_536).await;
    let (mut people, mut recorded) = (Vec::new(), 0);
    for polls in 1..MAX_POLLS {
        let person = service.world.new_person().await;
        let verification_id = service.world.identify_with_separate_agent(&person).await;
        let request = IssueTemporaryPinRequest { request_id: uuid().to_string(), verification_id, language: 0 };
        let done = poll_at_most(polls, client.issue_temporary_pin(request.clone())).await;
        // There is one permit, so the next call needs this call's work to have ended.
        calls.close();
        calls.wait().await;
        calls.reopen();
        let now_recorded = service.count_recorded_orders().await;
        if recorded == people.len() as i64 && recorded > 0 {
            assert_eq!(now_recorded, recorded + 1, "{polls} polls: an order that has started continues");
        }
        client.issue_temporary_pin(request).await.unwrap();
        people.push(person);
        recorded = service.count_recorded_orders().await;
        assert_eq!(recorded, people.len() as i64);
        if let Some(answer) = done {
            answer.unwrap();
            break;
        }
    }
    assert!(people.len() > 1, "none was dropped");
    for person in &people {
        assert_eq!(service.texts(person).await.len(), 1, "{}", person.id());
    }
}

#[tokio::test]
async fn r3_r4_a_try_dropped_at_any_await_is_counted_before_it_is_compared() {
    let world = World::with_sandbox(Sandbox::start(&["--people", &MAX_POLLS.to_string()])).await;
    let installation = Installation::new(&world.sandbox).await;
    let service = InProcessService::start(world, &installation).await;
    let mut dropped = 0;
    for polls in 1..MAX_POLLS {
        let person = service.world.new_person().await;
        let verification = service.world.identify_with_separate_agent(&person).await;
        service.world.issue("phone", &verification).await.unwrap();
        let pin = pin_in(service.texts(&person).await.last().unwrap());
        let attempt = |pin: &str| RedeemOrder {
            caller: "redeemer".into(),
            request_id: uuid(),
            person: reference(&person),
            pin: Pin::parse(pin).unwrap(),
        };
        let redeem = async |attempt: &RedeemOrder| -> Result<RedeemOutcome, Refusal> {
            service.issuance.redeem_temporary_pin(attempt, now()).await
        };

        let wrong = attempt(&wrong(&pin));
        let wrong_done = poll_at_most(polls, redeem(&wrong)).await;
        // A try that was dropped before its answer is compared when it is repeated, and is counted once.
        for _ in 0..2 {
            assert_eq!(redeem(&wrong).await.unwrap(), RedeemOutcome::WrongPin { left: 2 }, "{polls} polls");
        }
        let tries = Bucket::WrongTries(service.key(&person));
        assert_eq!(service.spent(tries).await, 1, "{polls} polls");

        let right = attempt(&pin);
        let right_done = poll_at_most(polls, redeem(&right)).await;
        for _ in 0..2 {
            assert_eq!(redeem(&right).await.unwrap(), RedeemOutcome::Redeemed, "{polls} polls");
        }
        // If a try was dropped before its refund, its spend stays. That is the safe side.
        let max_spent = if right_done.is_some() { 1 } else { 2 };
        assert!((1..=max_spent).contains(&service.spent(tries).await), "{polls} polls");
        assert_eq!(redeem(&attempt(&pin)).await.unwrap(), RedeemOutcome::NoOpenPin);
        let pins = i64::try_from(polls).unwrap();
        for rows in
            ["pin_requests WHERE state = 'redeemed' AND tries = 2", "audit_events WHERE action = 'pin_redeemed'"]
        {
            assert_eq!(installation.count(rows).await, pins, "{rows}");
        }
        if wrong_done.is_some() && right_done.is_some() {
            break;
        }
        dropped += 1;
    }
    assert!(dropped > 4, "Redis twice, the register, Postgres twice: {dropped} awaits");
}

/// R9: an operator's act, its audit event and the SMS to the person are recorded together or not at all.
#[tokio::test]
async fn r9_an_operators_act_dropped_at_any_await_is_done_completely_or_not_at_all() {
    let world = World::with_sandbox(Sandbox::start(&["--people", &MAX_POLLS.to_string()])).await;
    let installation = Installation::new(&world.sandbox).await;
    let service = InProcessService::start(world, &installation).await;
    let counts = async || {
        // A block has a row for each pseudonym of the person.
        let counts: Vec<(String, i64)> = sqlx::query_as(
            "SELECT 'revoked', count(*) FROM pin_requests WHERE state = 'revoked'
            UNION ALL SELECT 'blocks', count(DISTINCT block_time) FROM person_blocks
            UNION ALL SELECT 'notices', count(*) FROM outbox WHERE notice = 'pin_revoked'
            UNION ALL SELECT action, count(*) FROM audit_events
                WHERE action IN ('pin_revoked', 'person_blocked') GROUP BY action",
        )
        .fetch_all(&mut service.database().await)
        .await
        .unwrap();
        assert!(counts.iter().all(|(_, count)| *count == counts[0].1), "{counts:?}");
        counts[0].1
    };
    let mut people = Vec::new();
    for polls in 1..MAX_POLLS {
        let person = service.world.new_person().await;
        let verification = service.world.identify_with_separate_agent(&person).await;
        service.world.issue("phone", &verification).await.unwrap();
        assert_eq!(service.texts(&person).await.len(), 1);
        let reason = StatedReason::parse("reported as not hers").unwrap();
        let operation = Operation { operator: "operator".into(), reason, now: now() };
        let reference = reference(&person);
        let desk = service.issuance.operator_desk(&operation);
        let block = || desk.block_person(&reference);
        let done = poll_at_most(polls, block()).await;
        counts().await;

        let repeated = block().await.unwrap();
        assert!(!(done.is_some() && repeated.is_new), "{polls} polls: the person was already blocked");
        people.push(person);
        assert_eq!(counts().await, people.len() as i64, "{polls} polls");
        if done.is_some() {
            break;
        }
    }
    assert!(people.len() > 3, "the register, Postgres, Redis: {} awaits", people.len() - 1);
    for person in &people {
        assert_eq!(service.texts(person).await.len(), 2, "the PIN, and that it is revoked: {}", person.id());
    }
}

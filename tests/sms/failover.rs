//! R29: two gateways. What the first is known not to have taken goes to the second; nothing goes to both.

use std::sync::Arc;
use std::time::Duration;

use sqlx::PgPool;
use temporary_pin::sms::dispatcher::Dispatcher;
use temporary_pin::sms::failover::{Gateways, LineSettings};
use temporary_pin::store::messages::outbox;
use tokio::sync::Semaphore;

use crate::world::{LEASE, Mode, Phone, World};

const ANSWERS: [Mode; 6] =
    [Mode::Accept, Mode::Down, Mode::Busy(Duration::from_secs(20)), Mode::Unauthorized, Mode::Refuse, Mode::Silent];

/// Two gateways in their order.
struct Pair {
    first: Phone,
    second: Phone,
}

impl Pair {
    fn new(first: Mode, second: Mode) -> Self {
        let pair = Self { first: Phone::new(), second: Phone::new() };
        pair.set(first, second);
        pair
    }

    fn set(&self, first: Mode, second: Mode) {
        self.first.set(first);
        self.second.set(second);
    }

    fn dispatcher(&self, world: &World) -> Arc<Dispatcher<Phone>> {
        let line = |name: &str, phone: &Phone| {
            (LineSettings { name: name.into(), connections: None, rate: None }, phone.clone())
        };
        let gateways = vec![line("first", &self.first), line("second", &self.second)];
        Arc::new(world.dispatcher_over(Gateways::new(gateways, world.metrics.clone())))
    }

    /// How many messages the phones may have received, over both gateways.
    fn arrivals(&self) -> usize {
        let all = [self.first.received(), self.second.received()].concat();
        all.iter().filter(|message| message.may_have_arrived).count()
    }
}

/// Lets a dispatcher work for some time.
async fn work(world: &World, dispatcher: &Arc<Dispatcher<Phone>>, rounds: usize) {
    for _ in 0..rounds {
        dispatcher.run_once().await;
        world.clock.advance(Duration::from_secs(5));
    }
}

/// Every answer of the one gateway with every answer of the other, and then both accept.
#[sqlx::test]
async fn r29_no_answers_of_two_gateways_send_a_pin_twice_or_a_notice_thrice(pool: PgPool) {
    let world = World::new(pool);
    for first in ANSWERS {
        for second in ANSWERS {
            for (kind, most) in [("pin", 1), ("access_requested", 2)] {
                let pair = Pair::new(first, second);
                let dispatcher = pair.dispatcher(&world);
                let id = world.queue(kind).await;
                work(&world, &dispatcher, 6).await;
                pair.set(Mode::Accept, Mode::Accept);
                work(&world, &dispatcher, 12).await;

                let arrivals = pair.arrivals();
                assert!(arrivals <= most, "{first:?}, {second:?}, {kind}: {arrivals} arrivals");
                let state = world.state(id).await;
                assert!(arrivals > 0 || state == "failed", "{first:?}, {second:?}, {kind}: lost as {state}");
            }
        }
    }
}

/// The process ends at any moment: with the claim, with the begin, while the one or the other gateway has the message.
#[sqlx::test]
async fn r29_no_end_of_a_process_sends_a_pin_twice(pool: PgPool) {
    let world = World::new(pool);
    for first in ANSWERS {
        for second in ANSWERS {
            for waits_at_second in [false, true] {
                let mut pair = Pair::new(first, second);
                let gate = Arc::new(Semaphore::new(0));
                let waiting = if waits_at_second { &mut pair.second } else { &mut pair.first };
                waiting.gate = Arc::clone(&gate);
                let dispatcher = pair.dispatcher(&world);
                let id = world.queue("pin").await;
                let running = tokio::spawn(async move { dispatcher.run_once().await });
                let waiting = if waits_at_second { &pair.second } else { &pair.first };
                while waiting.received().is_empty() && !running.is_finished() {
                    tokio::time::sleep(Duration::from_millis(2)).await;
                }
                running.abort();
                let _ = running.await;

                gate.add_permits(1000);
                pair.set(Mode::Accept, Mode::Accept);
                world.clock.advance(LEASE);
                work(&world, &pair.dispatcher(&world), 12).await;
                let arrivals = pair.arrivals();
                assert!(arrivals <= 1, "{first:?}, {second:?}, {waits_at_second}: {arrivals} arrivals");
                let state = world.state(id).await;
                assert!(["accepted", "failed"].contains(&state.as_str()), "{first:?}, {second:?}: {state}");
            }
        }
    }
}

#[sqlx::test]
async fn r29_the_next_gateway_has_the_message_in_the_same_hand_over(pool: PgPool) {
    let world = World::new(pool);
    for first in [Mode::Down, Mode::Busy(Duration::from_secs(5)), Mode::Unauthorized] {
        let pair = Pair::new(first, Mode::Accept);
        let id = world.queue("pin").await;
        pair.dispatcher(&world).run_once().await;
        assert_eq!((pair.first.received().len(), pair.second.received().len()), (1, 1));
        assert_eq!(world.state(id).await, "accepted");
        assert_eq!(world.gateway_of(id).await.as_deref(), Some("second"));
    }
}

#[sqlx::test]
async fn r29_the_first_gateway_dies_and_the_second_has_every_message_once(pool: PgPool) {
    const MESSAGES: usize = 300;
    let world = World::new(pool);
    let pair = Pair::new(Mode::Accept, Mode::Accept);
    let dispatcher = pair.dispatcher(&world);
    for number in 0..MESSAGES {
        world.queue("pin").await;
        if number == MESSAGES / 3 {
            dispatcher.run_once().await;
            pair.first.set(Mode::Down);
        }
    }
    dispatcher.run_once().await;

    assert_eq!(pair.arrivals(), MESSAGES, "within one round");
    let mut times = pair.first.count_arrivals();
    times.append(&mut pair.second.count_arrivals());
    assert!(times.len() == MESSAGES && times.values().all(|times| *times == 1));
}

/// A gateway that is closed to messages costs none of them a try.
#[sqlx::test]
async fn r29_while_every_gateway_is_closed_messages_wait_without_being_handed_over(pool: PgPool) {
    let world = World::new(pool);
    let pair = Pair::new(Mode::Down, Mode::Down);
    let dispatcher = pair.dispatcher(&world);
    for _ in 0..3 {
        world.queue("pin").await;
    }
    dispatcher.run_once().await;
    let tried = pair.first.received().len() + pair.second.received().len();
    let later = world.queue("pin").await;
    dispatcher.run_once().await;
    assert_eq!(pair.first.received().len() + pair.second.received().len(), tried);
    assert_eq!(world.attempts(later).await.as_deref(), Some("0"));

    pair.set(Mode::Accept, Mode::Accept);
    work(&world, &dispatcher, 8).await;
    assert_eq!(world.state(later).await, "accepted");
    assert_eq!(pair.arrivals(), 4);
}

/// R24: the second gateway observes a shorter validity than the first.
#[sqlx::test]
async fn r24_a_message_with_little_life_left_goes_to_the_gateway_that_observes_it(pool: PgPool) {
    let world = World::new(pool);
    let mut pair = Pair::new(Mode::Accept, Mode::Accept);
    pair.second.least_validity = Duration::from_secs(15);
    let id = world.queue_at("pin", world.now(), world.now() + Duration::from_secs(40)).await;
    pair.dispatcher(&world).run_once().await;
    assert_eq!(world.gateway_of(id).await.as_deref(), Some("second"));
    let too_late = world.queue_at("pin", world.now(), world.now() + Duration::from_secs(14)).await;
    pair.dispatcher(&world).run_once().await;
    assert_eq!(world.state(too_late).await, "queued");
}

/// A message that was claimed before every gateway closed.
#[sqlx::test]
async fn a_message_that_is_put_off_can_be_claimed_by_anybody_then(pool: PgPool) {
    let world = World::new(pool);
    world.queue("pin").await;
    let token = temporary_pin::random::time_ordered_uuid(world.now(), &mut temporary_pin::random::secure());
    let claim = async |now| outbox::claim_due(&world.pool, now, Duration::ZERO, LEASE, 1, token).await.unwrap();
    let message = claim(world.now()).await.pop().expect("a due message");
    let later = world.now() + Duration::from_secs(3);
    outbox::postpone(&world.pool, &message, later).await.unwrap();
    assert!(claim(world.now()).await.is_empty());
    assert_eq!(claim(later).await.len(), 1);
}

//! The running dispatcher: wakes, polls and the shutdown.

use std::sync::Arc;
use std::time::Duration;

use sqlx::PgPool;
use temporary_pin::sms::settings::DispatcherSettings;
use temporary_pin::store::messages::local_handovers::{self, LocalHandovers};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::world::{LEASE, Phone, World};

struct Running {
    local_handovers: LocalHandovers,
    wake: Arc<Notify>,
    cancel: CancellationToken,
    task: JoinHandle<()>,
}

impl Running {
    fn start(world: &World, concurrency: usize, poll_interval: Duration) -> Self {
        let settings = DispatcherSettings { lease: LEASE, concurrency, poll_interval, ..DispatcherSettings::default() };
        let (wake, cancel) = (Arc::new(Notify::new()), CancellationToken::new());
        let (local_handovers, queue) = local_handovers::channel(concurrency);
        let task = tokio::spawn(world.dispatcher_with(settings).run(queue, Arc::clone(&wake), cancel.clone()));
        Self { local_handovers, wake, cancel, task }
    }

    async fn stop(self) {
        self.cancel.cancel();
        tokio::time::timeout(Duration::from_secs(10), self.task).await.expect("it does not stop").unwrap();
    }
}

/// Waits until `condition` holds.
async fn wait_until(what: &str, condition: impl AsyncFn() -> bool) {
    let wait = async {
        while !condition().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), wait).await.unwrap_or_else(|_| panic!("never: {what}"));
}

const NEVER: Duration = Duration::from_secs(3600);

#[sqlx::test]
async fn a_wake_sends_a_message_at_once(pool: PgPool) {
    let world = World::new(pool);
    let running = Running::start(&world, 4, NEVER);
    // The first poll is at the start, so the first message does not show that the wake works.
    let first = world.queue("pin").await;
    running.wake.notify_one();
    wait_until("the first is sent", async || world.state(first).await == "accepted").await;

    let second = world.queue("pin").await;
    running.wake.notify_one();

    wait_until("the second is sent", async || world.state(second).await == "accepted").await;
    running.stop().await;
}

#[sqlx::test]
async fn without_a_wake_the_poll_finds_the_message(pool: PgPool) {
    let world = World::new(pool);
    let running = Running::start(&world, 4, Duration::from_millis(10));
    let id = world.queue("pin").await;
    wait_until("it is sent", async || world.state(id).await == "accepted").await;
    running.stop().await;
}

/// There are more messages than concurrent hand-overs. Each finished hand-over starts the next one, without another wake.
#[sqlx::test]
async fn one_wake_sends_all_messages(pool: PgPool) {
    let world = World::new(pool);
    for _ in 0..30 {
        world.queue("pin").await;
    }
    let running = Running::start(&world, 4, NEVER);
    wait_until("all are sent", async || world.phone.received().len() == 30).await;
    running.stop().await;
}

#[sqlx::test]
async fn a_slow_gateway_delays_no_other_message_and_holds_no_connection(pool: PgPool) {
    let world = World { phone: Phone::with_closed_gate(), ..World::new(pool) };
    let connections = world.pool.options().get_max_connections() as usize;
    for _ in 0..connections + 5 {
        world.queue("pin").await;
    }
    let running = Running::start(&world, connections + 5, NEVER);
    wait_until("all are at the gateway", async || world.phone.received().len() == connections + 5).await;
    let queued: i64 =
        sqlx::query_scalar("SELECT count(*) FROM outbox WHERE state = 'queued'").fetch_one(&world.pool).await.unwrap();
    assert_eq!(usize::try_from(queued), Ok(connections + 5));
    world.phone.gate.add_permits(connections + 5);
    running.stop().await;
}

#[sqlx::test]
async fn the_shutdown_finishes_the_hand_over_in_progress_and_starts_no_other(pool: PgPool) {
    let world = World { phone: Phone::with_closed_gate(), ..World::new(pool) };
    let first = world.queue("pin").await;
    let second = world.queue("pin").await;
    let running = Running::start(&world, 1, NEVER);
    wait_until("the first is at the gateway", async || world.phone.received().len() == 1).await;

    running.cancel.cancel();
    world.phone.gate.add_permits(10);
    running.stop().await;

    assert_eq!(world.phone.received().len(), 1);
    assert_eq!(world.state(first).await, "accepted", "the hand-over in progress is finished");
    assert_eq!(world.state(second).await, "queued");

    // The second message is not claimed, so the next instance sends it at once.
    world.dispatcher().run_once().await;
    assert_eq!(world.state(second).await, "accepted");
}

#[sqlx::test]
async fn a_new_message_of_this_process_is_sent_without_a_claim(pool: PgPool) {
    let world = World::new(pool);
    let running = Running::start(&world, 4, NEVER);
    let place = running.local_handovers.reserve(world.now()).unwrap();
    let message = world.queue_leased(place.lease()).await;
    let id = message.id;
    place.hand_over(message);

    wait_until("it is sent", async || world.state(id).await == "accepted").await;
    assert_eq!(world.phone.received().len(), 1);
    assert_eq!(world.phone.received()[0].reference, format!("{id}.1"));
    running.stop().await;
}

#[sqlx::test]
async fn places_are_bounded_and_unused_ones_are_free_again(pool: PgPool) {
    let world = World { phone: Phone::with_closed_gate(), ..World::new(pool) };
    let running = Running::start(&world, 2, NEVER);
    let places: Vec<_> = (0..2).map(|_| running.local_handovers.reserve(world.now()).unwrap()).collect();
    assert!(running.local_handovers.reserve(world.now()).is_none(), "all places are taken");
    drop(places);
    assert!(running.local_handovers.reserve(world.now()).is_some());
    running.stop().await;
}

/// The gateway is so slow that neither the dispatcher nor the channel has room.
#[sqlx::test]
async fn a_message_without_a_place_is_claimed_when_there_is_room(pool: PgPool) {
    let world = World { phone: Phone::with_closed_gate(), ..World::new(pool) };
    let running = Running::start(&world, 1, NEVER);
    let mut ids = Vec::new();
    for sent in 1..=2 {
        let place = running.local_handovers.reserve(world.now()).unwrap();
        let message = world.queue_leased(place.lease()).await;
        ids.push(message.id);
        place.hand_over(message);
        if sent == 1 {
            wait_until("the first is at the gateway", async || world.phone.received().len() == 1).await;
        }
    }
    assert!(running.local_handovers.reserve(world.now()).is_none());
    ids.push(world.queue("pin").await);
    running.wake.notify_one();

    world.phone.gate.add_permits(3);
    for id in ids {
        wait_until("it is sent", async || world.state(id).await == "accepted").await;
    }
    assert_eq!(world.phone.received().len(), 3, "each once");
    running.stop().await;
}

/// The dispatcher stops: it starts the hand-overs that it has room for, and the others wait for another dispatcher.
#[sqlx::test]
async fn a_stop_leaves_no_message_leased(pool: PgPool) {
    let world = World { phone: Phone::with_closed_gate(), ..World::new(pool) };
    let running = Running::start(&world, 2, NEVER);
    let mut ids = Vec::new();
    for number in 0..4 {
        let place = running.local_handovers.reserve(world.now()).unwrap();
        let message = world.queue_leased(place.lease()).await;
        ids.push(message.id);
        place.hand_over(message);
        if number == 1 {
            wait_until("two are at the gateway", async || world.phone.received().len() == 2).await;
        }
    }
    running.cancel.cancel();
    wait_until("the stop has begun", async || running.local_handovers.reserve(world.now()).is_none()).await;
    world.phone.gate.add_permits(10);
    running.stop().await;

    // Nothing holds the rest: the next instance sends it at once.
    world.dispatcher().run_once().await;
    for id in ids {
        assert_eq!(world.state(id).await, "accepted");
    }
    assert_eq!(world.phone.received().len(), 4, "each once");
}

/// An order that is running while the service stops.
#[sqlx::test]
async fn a_place_that_is_reserved_counts_until_the_order_has_ended(pool: PgPool) {
    let world = World::new(pool);
    let running = Running::start(&world, 2, NEVER);
    let place = running.local_handovers.reserve(world.now()).unwrap();
    running.cancel.cancel();
    wait_until("the stop has begun", async || running.local_handovers.reserve(world.now()).is_none()).await;
    let message = world.queue_leased(place.lease()).await;
    let id = message.id;
    place.hand_over(message);
    drop(place);
    running.stop().await;
    assert_eq!(world.state(id).await, "accepted");
}

/// As a slow operator's gateway: each call takes 100 ms.
#[sqlx::test]
async fn a_gateway_of_100_ms_does_not_bound_the_messages(pool: PgPool) {
    const MESSAGES: usize = 1000;
    let world = World { phone: Phone::slow(Duration::from_millis(100)), ..World::new(pool) };
    let concurrency = DispatcherSettings::default().concurrency;
    let running = Running::start(&world, concurrency, NEVER);
    for _ in 0..MESSAGES {
        world.queue("pin").await;
    }
    running.wake.notify_one();
    wait_until("all are at the gateway", async || world.phone.received().len() == MESSAGES).await;
    // 64 at the same time would be 16 turns.
    assert!(world.phone.most_at_once() > 64, "{} at the same time", world.phone.most_at_once());
    assert!(world.phone.most_at_once() <= concurrency);
    running.stop().await;
}

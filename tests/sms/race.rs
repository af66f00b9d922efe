//! Two instances of the service on one outbox.

use std::time::Duration;

use sqlx::PgPool;

use crate::world::{Mode, World};

const MESSAGES: usize = 200;

#[sqlx::test]
async fn two_dispatchers_send_each_message_exactly_once(pool: PgPool) {
    let world = World::new(pool);
    for _ in 0..MESSAGES {
        world.queue("pin").await;
    }
    let (one, two) = (world.dispatcher(), world.dispatcher());

    while world.phone.received().len() < MESSAGES {
        tokio::join!(one.run_once(), two.run_once());
    }
    world.clock.advance(Duration::from_secs(120));
    tokio::join!(one.run_once(), two.run_once());

    let times = world.phone.times();
    assert_eq!(times.len(), MESSAGES);
    assert!(times.values().all(|times| *times == 1));
}

/// Retries of a gateway that fails move between the dispatchers, but the one that is taken is the last.
#[sqlx::test]
async fn two_dispatchers_share_the_retries(pool: PgPool) {
    let world = World::new(pool);
    world.phone.set(Mode::Down);
    for _ in 0..20 {
        world.queue("pin").await;
    }
    let (one, two) = (world.dispatcher(), world.dispatcher());
    tokio::join!(one.run_once(), two.run_once());
    assert_eq!(world.phone.received().len(), 20);

    world.phone.set(Mode::Accept);
    world.clock.advance(Duration::from_secs(2));
    tokio::join!(one.run_once(), two.run_once());
    tokio::join!(one.run_once(), two.run_once());

    assert!(world.phone.times().values().all(|times| *times == 2));
}

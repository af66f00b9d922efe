//! Retries while the gateway is down.

use std::time::Duration;

use sqlx::PgPool;
use temporary_pin::sms::settings::DispatcherSettings;

use crate::world::{LEASE, Mode, World};

/// The message expires after 600 seconds. The loop runs on for 50 seconds, to see that no retry follows.
#[sqlx::test]
async fn r24_retries_become_rare_and_end_when_the_message_expires(pool: PgPool) {
    let world = World::new(pool);
    world.phone.set(Mode::Down);
    let id = world.queue("pin").await;
    let dispatcher = world.dispatcher();

    let start = world.now();
    let mut tries = Vec::new();
    while world.now() < start + chrono::Duration::seconds(650) {
        dispatcher.run_once().await;
        if world.phone.received().len() > tries.len() {
            tries.push((world.now() - start).num_seconds());
        }
        world.clock.advance(Duration::from_secs(1));
    }

    let gaps: Vec<i64> = tries.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(gaps[0] <= 3, "{gaps:?}");
    assert!(gaps[6..].iter().all(|gap| *gap >= 15), "at least half of the longest delay: {gaps:?}");
    assert!(gaps.iter().all(|gap| *gap <= 40), "at most the longest delay and one poll: {gaps:?}");
    assert!(*tries.last().unwrap() <= 540, "a try with less life than the gateway observes: {tries:?}");
    assert_eq!(world.state(id).await, "expired");
    assert!(!world.has_body(id).await);
}

#[sqlx::test]
async fn after_an_outage_every_message_is_sent_once(pool: PgPool) {
    let world = World::new(pool);
    world.phone.set(Mode::Down);
    let mut ids = Vec::new();
    for _ in 0..10 {
        ids.push(world.queue("pin").await);
    }
    let dispatcher = world.dispatcher();
    dispatcher.run_once().await;
    assert_eq!(world.phone.received().len(), 10);
    assert_eq!(world.last_error(ids[0]).await.as_deref(), Some("cannot connect"));

    world.phone.set(Mode::Accept);
    world.clock.advance(Duration::from_secs(2));
    dispatcher.run_once().await;
    dispatcher.run_once().await;

    assert_eq!(world.phone.received().len(), 20);
    for id in ids {
        assert_eq!(world.state(id).await, "accepted");
    }
}

/// The dispatcher hands over one message at a time. A message that waits for its retry must not block the next message.
#[sqlx::test]
async fn a_message_that_waits_for_its_retry_does_not_count_against_the_concurrency(pool: PgPool) {
    let world = World::new(pool);
    world.phone.set(Mode::Down);
    let delayed = world.queue("pin").await;
    let long_delay = Duration::from_secs(600);
    let settings = DispatcherSettings {
        lease: LEASE,
        concurrency: 1,
        retry_delay: long_delay,
        retry_delay_limit: long_delay,
        ..DispatcherSettings::default()
    };
    let dispatcher = std::sync::Arc::new(world.dispatcher_with(settings));
    dispatcher.run_once().await;

    world.phone.set(Mode::Accept);
    let next = world.queue("pin").await;
    dispatcher.run_once().await;

    assert_eq!(world.state(next).await, "accepted");
    assert_eq!(world.state(delayed).await, "queued");
}

//! Two dispatchers on one outbox.

use std::collections::HashSet;
use std::time::Duration;

use sqlx::PgPool;
use temporary_pin::random;
use temporary_pin::store::messages::outbox;
use uuid::Uuid;

use crate::world::{LEASE, LEAST_VALIDITY, Mode, World};

const MESSAGES: usize = 200;

#[sqlx::test]
async fn two_dispatchers_send_each_message_exactly_once(pool: PgPool) {
    let world = World::new(pool);
    for _ in 0..MESSAGES {
        world.queue("pin").await;
    }
    let (one, two) = (world.dispatcher(), world.dispatcher());

    // Each round of a dispatcher sends several messages. The assertions below show that none is sent twice.
    for _ in 0..MESSAGES {
        tokio::join!(one.run_once(), two.run_once());
        if world.phone.received().len() >= MESSAGES {
            break;
        }
    }
    world.clock.advance(Duration::from_secs(120));
    tokio::join!(one.run_once(), two.run_once());

    let times = world.phone.count_by_reference();
    assert_eq!(times.len(), MESSAGES);
    assert!(times.values().all(|times| *times == 1));
}

#[sqlx::test]
async fn concurrent_claims_share_the_messages(pool: PgPool) {
    let world = World::new(pool);
    for _ in 0..MESSAGES {
        world.queue("pin").await;
    }
    let claim = || async {
        let token = random::time_ordered_uuid(world.now(), &mut random::secure());
        let claimed =
            outbox::claim_due(&world.pool, world.now(), LEAST_VALIDITY, LEASE, MESSAGES / 4, token).await.unwrap();
        claimed.into_iter().map(|message| message.id).collect::<Vec<_>>()
    };

    let (a, b, c, d) = tokio::join!(claim(), claim(), claim(), claim());

    let ids: HashSet<Uuid> = [a, b, c, d].into_iter().flatten().collect();
    assert_eq!(ids.len(), MESSAGES);
}

/// Only one dispatcher makes the next try of a message.
#[sqlx::test]
async fn two_dispatchers_make_each_retry_once(pool: PgPool) {
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

    assert!(world.phone.count_by_reference().values().all(|times| *times == 2));
}

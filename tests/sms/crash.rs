//! Dispatchers that end during a hand-over.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use sqlx::PgPool;
use temporary_pin::random;
use temporary_pin::store::messages::handovers::Handovers;
use temporary_pin::store::messages::local_handovers::{self, NEW_MESSAGE_LEASE};
use temporary_pin::store::messages::{ClaimedMessage, outbox};
use uuid::Uuid;

use crate::world::{LEASE, World};

const LEAST_LIFE: Duration = Duration::from_secs(10);

/// Claims due messages, as a dispatcher does first.
async fn claim(world: &World) -> Vec<ClaimedMessage> {
    let token = random::time_ordered_uuid(world.now(), &mut random::secure());
    outbox::claim_due(&world.pool, world.now(), LEAST_LIFE, LEASE, 10, token).await.unwrap()
}

async fn begin(world: &World, message: &ClaimedMessage) -> bool {
    Handovers::new(&world.pool).begin_handover(message, world.now(), LEAST_LIFE, LEASE).await.unwrap()
}

/// The name of the gateway that accepts.
fn gateway() -> Arc<str> {
    "phone".into()
}

/// Queues one message and claims it.
async fn queue_and_claim(world: &World, kind: &str) -> (Uuid, ClaimedMessage) {
    let id = world.queue(kind).await;
    (id, claim(world).await.pop().expect("a due message"))
}

#[sqlx::test]
async fn a_message_of_a_crashed_dispatcher_is_sent_after_the_lease(pool: PgPool) {
    let world = World::new(pool);
    let (id, _) = queue_and_claim(&world, "pin").await;

    world.dispatcher().run_once().await;
    assert!(world.phone.received().is_empty(), "sent during the lease of another");

    world.clock.advance(LEASE);
    world.dispatcher().run_once().await;
    assert_eq!(world.phone.received().len(), 1);
    assert_eq!(world.state(id).await, "accepted");
}

#[sqlx::test]
async fn r5_a_pin_whose_hand_over_has_begun_is_not_sent_again(pool: PgPool) {
    let world = World::new(pool);
    let (id, message) = queue_and_claim(&world, "pin").await;
    assert!(begin(&world, &message).await);

    world.clock.advance(LEASE);
    world.dispatcher().run_once().await;

    assert!(world.phone.received().is_empty(), "sent by two dispatchers");
    assert_eq!(world.state(id).await, "failed");
    assert_eq!(world.last_error(id).await.as_deref(), Some("outcome unknown"));

    // R5: the person orders it again.
    world.queue_again(id).await;
    world.dispatcher().run_once().await;
    assert_eq!(world.phone.received()[0].reference, format!("{id}.2"));
    assert_eq!(world.state(id).await, "accepted");
}

#[sqlx::test]
async fn a_message_whose_hand_over_has_begun_is_never_claimed(pool: PgPool) {
    let world = World::new(pool);
    let (_, message) = queue_and_claim(&world, "pin").await;
    assert!(begin(&world, &message).await);
    world.clock.advance(LEASE);
    assert!(claim(&world).await.is_empty());
}

/// Dispatcher after dispatcher ends during the hand-over of one notice.
#[sqlx::test]
async fn r29_a_notice_that_was_lost_twice_is_given_up(pool: PgPool) {
    let world = World::new(pool);
    let (id, mut message) = queue_and_claim(&world, "access_requested").await;
    for lost in 1..=2 {
        assert!(begin(&world, &message).await);
        world.clock.advance(LEASE);
        outbox::settle_lost_handovers(&world.pool, world.now()).await.unwrap();
        match claim(&world).await.pop() {
            Some(again) if lost == 1 => message = again,
            other => assert!(other.is_none(), "claimed after {lost}"),
        }
    }
    assert_eq!(world.state(id).await, "failed");
    assert!(!world.has_body(id).await);
}

#[sqlx::test]
async fn r8_a_notice_whose_hand_over_has_begun_is_sent_again(pool: PgPool) {
    let world = World::new(pool);
    let (id, message) = queue_and_claim(&world, "access_requested").await;
    assert!(begin(&world, &message).await);

    world.clock.advance(LEASE);
    world.dispatcher().run_once().await;
    assert_eq!(world.phone.received().len(), 1);
    assert!(!world.has_body(id).await);
}

/// The instance was slow and had not crashed.
#[sqlx::test]
async fn an_acceptance_after_the_lease_still_counts(pool: PgPool) {
    let world = World::new(pool);
    let (id, message) = queue_and_claim(&world, "pin").await;
    assert!(begin(&world, &message).await);
    world.clock.advance(LEASE);
    world.dispatcher().run_once().await;
    assert_eq!(world.state(id).await, "failed");

    Handovers::new(&world.pool).record_acceptance(&message, &gateway(), Some("7".to_owned())).await.unwrap();

    assert_eq!(world.state(id).await, "accepted");
    assert!(claim(&world).await.is_empty());
}

#[sqlx::test]
async fn a_dispatcher_that_lost_the_lease_neither_sends_nor_records(pool: PgPool) {
    let world = World::new(pool);
    let (id, slow) = queue_and_claim(&world, "pin").await;
    world.clock.advance(LEASE);
    let quick = claim(&world).await.pop().expect("the lease has run out");

    assert!(!begin(&world, &slow).await);
    Handovers::new(&world.pool).record_acceptance(&slow, &gateway(), None).await.unwrap();
    outbox::record_failure(&world.pool, &slow, "late").await.unwrap();
    outbox::schedule_retry(&world.pool, &slow, world.now(), false, "late").await.unwrap();

    assert_eq!((world.state(id).await.as_str(), world.last_error(id).await), ("queued", None));
    assert!(begin(&world, &quick).await);
}

/// The response to the first start was lost with its connection. Nothing has been sent.
#[sqlx::test]
async fn one_dispatcher_may_begin_a_hand_over_twice(pool: PgPool) {
    let world = World::new(pool);
    let (id, message) = queue_and_claim(&world, "pin").await;
    assert!(begin(&world, &message).await);
    assert!(begin(&world, &message).await);
    outbox::schedule_retry(&world.pool, &message, world.now(), false, "cannot connect").await.unwrap();
    assert_eq!(world.attempts(id).await.as_deref(), Some("1"), "one hand-over");
}

/// A message whose lease has ended can be claimed again by the same process. Only the present lease begins the hand-over.
#[sqlx::test]
async fn of_two_leases_of_one_message_in_one_batch_only_the_present_one_begins(pool: PgPool) {
    let world = World::new(pool);
    let (_, former) = queue_and_claim(&world, "pin").await;
    world.clock.advance(LEASE);
    let present = claim(&world).await.pop().expect("a due message");
    let handovers = Handovers::new(&world.pool);
    let begin = async |message| handovers.begin_handover(message, world.now(), LEAST_LIFE, LEASE).await.unwrap();
    // The first request is a batch of its own. The others wait for it, and make the next batch.
    let begun = tokio::join!(begin(&former), begin(&present), begin(&former));
    assert_eq!(begun, (false, true, false));
}

#[sqlx::test]
async fn a_handover_does_not_begin_after_the_lease(pool: PgPool) {
    let world = World::new(pool);
    let (_, message) = queue_and_claim(&world, "pin").await;
    world.clock.advance(LEASE);
    assert!(!begin(&world, &message).await);
}

/// So that another dispatcher does not give the message up before the gateway has answered.
#[sqlx::test]
async fn a_handover_that_begins_late_has_the_whole_lease(pool: PgPool) {
    let world = World::new(pool);
    let (id, message) = queue_and_claim(&world, "pin").await;
    world.clock.advance(LEASE - Duration::from_secs(1));
    assert!(begin(&world, &message).await);

    world.clock.advance(LEASE - Duration::from_secs(1));
    world.dispatcher().run_once().await;
    assert_eq!(world.state(id).await, "queued", "the hand-over is under way");
    world.clock.advance(Duration::from_secs(1));
    world.dispatcher().run_once().await;
    assert_eq!(world.state(id).await, "failed");
}

#[sqlx::test]
async fn r24_a_message_that_could_expire_during_the_hand_over_is_not_handed_over(pool: PgPool) {
    let world = World::new(pool);
    world.queue_at("pin", world.now(), world.now() + LEAST_LIFE + Duration::from_secs(5)).await;
    let message = claim(&world).await.pop().expect("a due message");
    world.clock.advance(Duration::from_secs(5));
    assert!(!begin(&world, &message).await);
}

/// The message may have been sent although it expires during its hand-over.
#[sqlx::test]
async fn an_expiry_during_the_hand_over_changes_nothing(pool: PgPool) {
    let world = World::new(pool);
    let id = world.queue_at("pin", world.now(), world.now() + LEAST_LIFE + Duration::from_secs(5)).await;
    let message = claim(&world).await.pop().expect("a due message");
    assert!(begin(&world, &message).await);
    world.clock.advance(LEAST_LIFE + Duration::from_secs(5));

    world.dispatcher().run_once().await;
    assert_eq!(world.state(id).await, "queued");

    Handovers::new(&world.pool).record_acceptance(&message, &gateway(), None).await.unwrap();
    world.dispatcher().run_once().await;
    assert_eq!(world.state(id).await, "accepted");
    assert!(!world.has_body(id).await);
}

/// The PIN was revoked, or redeemed after an earlier send, since the claim.
#[sqlx::test]
async fn r9_a_cancelled_message_is_not_handed_over(pool: PgPool) {
    let world = World::new(pool);
    let (id, message) = queue_and_claim(&world, "pin").await;
    let cancel = sqlx::query("UPDATE outbox SET state = 'cancelled', sealed_body = NULL WHERE id = $1").bind(id);
    cancel.execute(&world.pool).await.unwrap();

    assert!(!begin(&world, &message).await);
    Handovers::new(&world.pool).record_acceptance(&message, &gateway(), None).await.unwrap();
    assert_eq!(world.state(id).await, "cancelled");
}

/// Concurrent starts share one statement. Each still has its own result.
#[sqlx::test]
async fn batched_hand_overs_have_separate_results(pool: PgPool) {
    let world = World::new(pool);
    for _ in 0..8 {
        world.queue("pin").await;
    }
    let messages = claim(&world).await;
    sqlx::query("UPDATE outbox SET state = 'cancelled', sealed_body = NULL WHERE id = $1")
        .bind(messages[3].id)
        .execute(&world.pool)
        .await
        .unwrap();
    let handovers = Handovers::new(&world.pool);

    let begun =
        join_all(messages.iter().map(|message| handovers.begin_handover(message, world.now(), LEAST_LIFE, LEASE)))
            .await;
    let begun: Vec<bool> = begun.into_iter().map(Result::unwrap).collect();
    assert_eq!(begun, [true, true, true, false, true, true, true, true]);

    let references = (0..8).map(|number| (number != 5).then(|| number.to_string()));
    let name = gateway();
    let recorded = join_all(
        messages
            .iter()
            .zip(references)
            .map(|(message, reference)| handovers.record_acceptance(message, &name, reference)),
    );
    assert_eq!(recorded.await, vec![Ok(()); 8]);

    for (number, message) in messages.iter().enumerate() {
        let expected = if number == 3 { "cancelled" } else { "accepted" };
        assert_eq!(world.state(message.id).await, expected, "message {number}");
        let reference: Option<String> = sqlx::query_scalar("SELECT gateway_reference FROM outbox WHERE id = $1")
            .bind(message.id)
            .fetch_one(&world.pool)
            .await
            .unwrap();
        assert_eq!(reference, (number != 3 && number != 5).then(|| number.to_string()));
    }
}

/// A process has committed a new message with its lease, and is killed before the hand-over has begun.
#[sqlx::test]
async fn a_new_message_of_the_dead_goes_out_once_when_its_lease_has_run_out(pool: PgPool) {
    let world = World::new(pool);
    let (orders, queue) = local_handovers::channel(1);
    let place = orders.reserve(world.now()).unwrap();
    let message = world.queue_leased(place.lease()).await;
    let id = message.id;
    place.hand_over(message);
    drop((orders, queue)); // the process ends

    world.dispatcher().run_once().await;
    assert!(world.phone.received().is_empty(), "sent during the lease of another");

    world.clock.advance(NEW_MESSAGE_LEASE.to_std().unwrap());
    let (first, second) = (world.dispatcher(), world.dispatcher());
    tokio::join!(first.run_once(), second.run_once());
    assert_eq!(world.phone.received().len(), 1);
    assert_eq!(world.state(id).await, "accepted");
}

/// The process was slow, not dead: another dispatcher has claimed its message.
#[sqlx::test]
async fn a_new_message_that_another_has_claimed_is_not_handed_over_here(pool: PgPool) {
    let world = World::new(pool);
    let (orders, mut queue) = local_handovers::channel(1);
    let place = orders.reserve(world.now()).unwrap();
    let message = world.queue_leased(place.lease()).await;
    place.hand_over(message);
    let slow = queue.recv().await.unwrap();

    world.clock.advance(NEW_MESSAGE_LEASE.to_std().unwrap());
    assert!(!begin(&world, &slow).await, "after its lease");
    let claimed = claim(&world).await.pop().expect("the lease has run out");
    assert!(begin(&world, &claimed).await);
    assert!(!begin(&world, &slow).await);
}

/// A process is killed between the begin and the gateway's answer: it is unknown whether the PIN was sent.
#[sqlx::test]
async fn r5_a_new_message_whose_handover_had_begun_is_given_up(pool: PgPool) {
    let world = World::new(pool);
    let (orders, mut queue) = local_handovers::channel(1);
    let place = orders.reserve(world.now()).unwrap();
    let message = world.queue_leased(place.lease()).await;
    let id = message.id;
    place.hand_over(message);
    assert!(begin(&world, &queue.recv().await.unwrap()).await);

    // The begin has renewed the lease.
    world.clock.advance(NEW_MESSAGE_LEASE.to_std().unwrap());
    world.dispatcher().run_once().await;
    assert_eq!(world.state(id).await, "queued");

    world.clock.advance(LEASE);
    world.dispatcher().run_once().await;
    assert!(world.phone.received().is_empty(), "sent by two dispatchers");
    assert_eq!(world.state(id).await, "failed");
}

//! One dispatcher: which messages are sent, and what remains in the outbox.

use std::time::Duration;

use sqlx::PgPool;
use temporary_pin::sms::settings::DispatcherSettings;

use crate::world::{LEAST_VALIDITY, Mode, NUMBER, TEXT, World};

#[sqlx::test]
async fn a_due_message_reaches_the_gateway(pool: PgPool) {
    let world = World::new(pool);
    let id = world.queue("pin").await;

    world.dispatcher().run_once().await;

    let [message] = &world.phone.received()[..] else { panic!("one message expected") };
    assert_eq!((message.number.as_str(), message.text.as_str()), (NUMBER, TEXT));
    assert_eq!(message.reference, format!("{id}.1"));
    assert_eq!(world.state(id).await, "accepted");

    world.dispatcher().run_once().await;
    assert_eq!(world.phone.received().len(), 1, "it was sent again");
}

/// R24: the network must not deliver a PIN that has expired.
#[sqlx::test]
async fn r24_the_validity_is_the_time_until_expiry(pool: PgPool) {
    let world = World::new(pool);
    world.queue("pin").await;
    world.clock.advance(Duration::from_secs(200));

    world.dispatcher().run_once().await;

    let validity = world.phone.received()[0].validity;
    assert!((390..=400).contains(&validity.as_secs()), "{validity:?}");
}

#[sqlx::test]
async fn a_message_waits_until_it_is_due(pool: PgPool) {
    let world = World::new(pool);
    let day = Duration::from_secs(24 * 3600);
    world.queue_at("hold_passed", world.now() + day, world.now() + 2 * day).await;

    world.dispatcher().run_once().await;
    assert!(world.phone.received().is_empty());

    world.clock.advance(day);
    world.dispatcher().run_once().await;
    assert_eq!(world.phone.received().len(), 1);
}

#[sqlx::test]
async fn r24_an_expired_message_is_never_sent_and_its_body_is_erased(pool: PgPool) {
    let world = World::new(pool);
    let id = world.queue("pin").await;
    world.clock.advance(Duration::from_secs(600));

    world.dispatcher().run_once().await;

    assert!(world.phone.received().is_empty());
    assert_eq!(world.state(id).await, "expired");
    assert!(!world.has_body(id).await);
}

/// A PIN may be sent again until it expires. Other messages are not sent again.
#[sqlx::test]
async fn r5_the_body_is_erased_when_it_is_no_longer_needed(pool: PgPool) {
    let world = World::new(pool);
    let pin = world.queue("pin").await;
    let notice = world.queue("access_requested").await;

    world.dispatcher().run_once().await;
    assert!(world.has_body(pin).await);
    assert!(!world.has_body(notice).await);

    world.clock.advance(Duration::from_secs(600));
    world.dispatcher().run_once().await;
    assert!(!world.has_body(pin).await);
    assert_eq!(world.state(pin).await, "accepted");
}

/// The body is kept only as long as the message may still be sent.
#[sqlx::test]
async fn r5_the_body_is_erased_with_the_last_send(pool: PgPool) {
    let world = World::new(pool);
    for mode in [Mode::Accept, Mode::Silent] {
        world.phone.set(mode);
        let id = world.queue("pin").await;
        let last = sqlx::query("UPDATE outbox SET last_send = true WHERE id = $1").bind(id);
        last.execute(&world.pool).await.unwrap();
        world.dispatcher().run_once().await;
        assert!(!world.has_body(id).await);
    }
}

#[sqlx::test]
async fn r5_a_resend_has_its_own_reference(pool: PgPool) {
    let world = World::new(pool);
    let id = world.queue("pin").await;
    world.dispatcher().run_once().await;

    world.queue_again(id).await;
    world.dispatcher().run_once().await;

    let references: Vec<_> = world.phone.count_by_reference().into_iter().collect();
    assert_eq!(references, [(format!("{id}.1"), 1), (format!("{id}.2"), 1)]);
}

#[sqlx::test]
async fn a_permanent_refusal_is_final(pool: PgPool) {
    let world = World::new(pool);
    world.phone.set(Mode::Refuse);
    let pin = world.queue("pin").await;
    let notice = world.queue("access_requested").await;

    world.dispatcher().run_once().await;
    world.clock.advance(Duration::from_secs(300));
    world.dispatcher().run_once().await;

    assert_eq!(world.phone.received().len(), 2);
    assert_eq!(world.state(pin).await, "failed");
    assert_eq!(world.last_error(pin).await.as_deref(), Some("status 422"));
    assert!(world.has_body(pin).await, "the person may order it again");
    assert!(!world.has_body(notice).await);
}

/// The gateway delivers each time, and answers too late. A notice that arrives twice does less harm than none.
#[sqlx::test]
async fn r29_a_notice_with_unknown_outcomes_is_sent_twice_at_most(pool: PgPool) {
    let world = World::new(pool);
    world.phone.set(Mode::Silent);
    let id = world.queue("access_requested").await;
    for _ in 0..20 {
        world.dispatcher().run_once().await;
        world.clock.advance(Duration::from_secs(10));
        // What is certainly not taken in between changes nothing.
        world.phone.set(Mode::Down);
        world.dispatcher().run_once().await;
        world.clock.advance(Duration::from_secs(10));
        world.phone.set(Mode::Silent);
    }
    let unknown = world.phone.received().iter().filter(|message| message.may_have_arrived).count();
    assert_eq!(unknown, 2);
    assert_eq!(world.state(id).await, "failed");
    assert!(!world.has_body(id).await);
}

/// The token was withdrawn, and is there again before the messages expire.
#[sqlx::test]
async fn r29_trouble_with_the_account_costs_no_message(pool: PgPool) {
    let world = World::new(pool);
    world.phone.set(Mode::Unauthorized);
    let ids = [world.queue("pin").await, world.queue("access_requested").await];
    for _ in 0..12 {
        world.dispatcher().run_once().await;
        world.clock.advance(Duration::from_secs(5));
    }
    for id in ids {
        assert_eq!(world.state(id).await, "queued");
        assert_eq!(world.last_error(id).await.as_deref(), Some("status 401"));
    }
    world.phone.set(Mode::Accept);
    world.clock.advance(Duration::from_secs(30));
    world.dispatcher().run_once().await;
    for id in ids {
        assert_eq!(world.state(id).await, "accepted");
    }
}

#[sqlx::test]
async fn r29_a_message_waits_for_as_long_as_the_gateway_asks(pool: PgPool) {
    let world = World::new(pool);
    world.phone.set(Mode::Busy(Duration::from_secs(60)));
    world.queue("pin").await;
    let dispatcher = world.dispatcher();
    dispatcher.run_once().await;
    world.phone.set(Mode::Accept);
    world.clock.advance(Duration::from_secs(58));
    dispatcher.run_once().await;
    assert_eq!(world.phone.received().len(), 1, "too early");
    world.clock.advance(Duration::from_secs(3));
    dispatcher.run_once().await;
    assert_eq!(world.phone.received().len(), 2);
}

/// The phone may have received the notice. A notice that arrives twice does less harm than none.
#[sqlx::test]
async fn r8_a_notice_with_an_unknown_outcome_is_sent_again(pool: PgPool) {
    let world = World::new(pool);
    world.phone.set(Mode::Silent);
    let id = world.queue("access_requested").await;

    world.dispatcher().run_once().await;
    world.clock.advance(Duration::from_secs(300));
    world.phone.set(Mode::Accept);
    world.dispatcher().run_once().await;

    assert_eq!(world.phone.received().len(), 2);
    assert_eq!(world.state(id).await, "accepted");
}

/// The phone may have received the PIN. Only a new order of the person sends it again.
#[sqlx::test]
async fn r5_a_pin_with_an_unknown_outcome_is_not_sent_again(pool: PgPool) {
    let world = World::new(pool);
    world.phone.set(Mode::Silent);
    let id = world.queue("pin").await;

    world.dispatcher().run_once().await;
    world.clock.advance(Duration::from_secs(300));
    world.phone.set(Mode::Accept);
    world.dispatcher().run_once().await;

    assert_eq!(world.phone.received().len(), 1);
    assert_eq!(world.state(id).await, "failed");
    assert_eq!(world.last_error(id).await.as_deref(), Some("outcome unknown: no answer in time"));

    world.queue_again(id).await;
    world.dispatcher().run_once().await;
    assert_eq!(world.state(id).await, "accepted");
    assert_eq!(world.last_error(id).await, None);
}

/// An instance that does not have the new sealing key yet.
#[sqlx::test]
async fn a_message_that_this_instance_cannot_open_is_left_to_one_that_can(pool: PgPool) {
    let other = World::new(pool.clone());
    let world = World { clock: other.clock.clone(), ..World::new(pool) };
    let ids = [world.queue("pin").await, world.queue("access_requested").await];

    other.dispatcher().run_once().await;
    for id in ids {
        assert_eq!(world.state(id).await, "queued");
        assert!(world.has_body(id).await);
    }
    assert!(other.phone.received().is_empty());

    world.clock.advance(Duration::from_secs(1));
    world.dispatcher().run_once().await;
    for id in ids {
        assert_eq!(world.state(id).await, "accepted");
    }
    assert_eq!(world.phone.received().len(), 2);
}

#[sqlx::test]
async fn a_body_that_nobody_can_open_expires_and_delays_no_other_message(pool: PgPool) {
    let world = World::new(pool);
    let broken = world.queue("pin").await;
    sqlx::query("UPDATE outbox SET sealed_body = 'x' WHERE id = $1").bind(broken).execute(&world.pool).await.unwrap();
    let intact = world.queue("pin").await;

    world.dispatcher().run_once().await;

    assert_eq!(world.state(broken).await, "queued");
    assert_eq!(world.state(intact).await, "accepted");
    world.clock.advance(Duration::from_secs(600));
    world.dispatcher().run_once().await;
    assert_eq!(world.state(broken).await, "expired");
}

/// After an outage: a PIN has minutes to live, a notice hours.
#[sqlx::test]
async fn pins_go_before_notices(pool: PgPool) {
    let world = World::new(pool);
    for _ in 0..5 {
        world.queue("access_requested").await;
    }
    world.clock.advance(Duration::from_secs(1));
    let pins = [world.queue("pin").await, world.queue("pin").await];
    let settings = DispatcherSettings { concurrency: 3, ..DispatcherSettings::default() };
    let dispatcher = std::sync::Arc::new(world.dispatcher_with(settings));

    dispatcher.run_once().await;

    assert_eq!(world.phone.received().len(), 3, "two PINs, and a notice");
    for id in pins {
        assert_eq!(world.state(id).await, "accepted");
    }
}

/// The gateway would take the validity as a minute, and could deliver the PIN after its expiry.
#[sqlx::test]
async fn r24_a_message_with_less_life_left_than_the_gateway_observes_is_not_handed_over(pool: PgPool) {
    let world = World::new(pool);
    let life = LEAST_VALIDITY + Duration::from_secs(2);
    let in_time = world.queue_at("pin", world.now(), world.now() + life).await;
    world.dispatcher().run_once().await;
    assert_eq!(world.state(in_time).await, "accepted");

    let late = world.queue_at("pin", world.now(), world.now() + life).await;
    world.clock.advance(Duration::from_secs(2));
    world.dispatcher().run_once().await;
    assert_eq!(world.state(late).await, "queued");
    assert_eq!(world.attempts(late).await.as_deref(), Some("0"));
}

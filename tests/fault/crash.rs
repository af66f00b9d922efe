//! Kills a process right after it has issued a PIN. A second process on the same database and key ring finishes its work
//! after the lease has expired, and sends nothing twice.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use http::HeaderMap;
use made_up_world::plaintext;
use rand::RngExt as _;
use temporary_pin::clock::ShiftedClock;
use temporary_pin::config::Role;
use temporary_pin::domain::channel::Channel;
use temporary_pin::grpc::authentication::{Caller, CallerResolver};
use temporary_pin::store::messages::local_handovers::NEW_MESSAGE_LEASE;
use temporary_pin::{random, server};
use test_support::acts::pin_in;
use test_support::installation::Installation;
use test_support::person::Person;
use test_support::sandbox::Sandbox;
use test_support::world::{World, wait_until};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tonic::transport::Endpoint;

use crate::faulty_sandbox::LEASE;

/// The second service. It runs in the test's process, so that its clock can be moved.
struct SecondService {
    clock: ShiftedClock,
    task: JoinHandle<anyhow::Result<()>>,
}

/// Makes the phone channel the caller of the second service, as it was of the first.
struct PhoneCaller;

impl CallerResolver for PhoneCaller {
    fn resolve(&self, _: &HeaderMap) -> Option<Caller> {
        Some(Caller { name: "phone".into(), roles: vec![Role::Channel(Channel::Phone)] })
    }
}

impl SecondService {
    /// Starts the service with a clock at which the lease of the first has expired. The world's calls then go to it.
    async fn start(installation: &Installation, world: &mut World) -> Self {
        Self::start_later(LEASE, installation, world).await
    }

    /// Starts the service with a clock that is `ahead`. The world's calls then go to it.
    async fn start_later(ahead: TimeDelta, installation: &Installation, world: &mut World) -> Self {
        let clock = ShiftedClock::default();
        clock.advance(ahead.to_std().unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        world.channel = Endpoint::from_shared(url).unwrap().connect_lazy();
        let (config, time) = (installation.config(), Arc::new(clock.clone()));
        let listeners = vec![plaintext::listen(listener, Arc::new(PhoneCaller)).unwrap()];
        let draws = Arc::new(|_| Box::new(random::secure()) as _);
        let serve = async move { server::run(&config, time, draws, listeners, std::future::pending()).await };
        Self { clock, task: tokio::spawn(serve) }
    }
}

impl Drop for SecondService {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Lets no hand-over begin.
const REFUSE_BEGIN: &str = "
CREATE FUNCTION refuse_begin() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no hand-over begins'; END $$;
CREATE TRIGGER refuse_begin BEFORE UPDATE ON outbox FOR EACH ROW WHEN (NEW.handover_time IS NOT NULL)
    EXECUTE FUNCTION refuse_begin();";

async fn new_installation() -> (World, Installation) {
    let world = World::with_sandbox(Sandbox::start(&["--people", "20"])).await;
    let installation = Installation::new(&world.sandbox).await;
    (world, installation)
}

/// The texts of the messages on the phone.
async fn texts(world: &World, person: &Person) -> Vec<String> {
    let messages = world.sandbox.get(&format!("/phones/{}/messages", person.mobile_number())).await;
    messages.as_array().unwrap().iter().map(|message| message["text"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unsent_sms_of_a_killed_process_is_sent_once() {
    let (mut world, installation) = new_installation().await;
    world.set_mode("/gateway", "down").await;
    let first = installation.start().await;
    world.channel = first.connect_as("phone");
    let person = world.new_person().await;
    let verification = world.identify(&person).await;
    world.issue("phone", &verification).await.unwrap();
    // Wait until no hand-over is running, because its outcome would be unknown: the next test covers that.
    let tried = "outbox WHERE attempts > 0 AND handover_time IS NULL";
    wait_until("the gateway was tried", async || installation.count(tried).await == 1).await;
    first.kill();
    world.set_mode("/gateway", "accept").await;

    let _second = SecondService::start(&installation, &mut world).await;
    wait_until("the SMS is accepted", async || installation.count("outbox WHERE state = 'accepted'").await == 1).await;
    assert_eq!(texts(&world, &person).await.len(), 1);
}

/// The new message was leased to the killed process by the order itself.
#[tokio::test(flavor = "multi_thread")]
async fn the_sms_of_a_process_killed_between_commit_and_handover_is_sent_once_when_its_lease_ends() {
    let (mut world, installation) = new_installation().await;
    installation.execute(REFUSE_BEGIN).await;
    let first = installation.start().await;
    world.channel = first.connect_as("phone");
    let person = world.new_person().await;
    let verification = world.identify(&person).await;
    world.issue("phone", &verification).await.unwrap();
    let leased = "outbox WHERE handover_time IS NULL AND lease_token IS NOT NULL
        AND lease_expire_time = create_time + interval '10 seconds'";
    assert_eq!(installation.count(leased).await, 1, "the order leases its message");
    first.kill();
    installation.execute("DROP TRIGGER refuse_begin ON outbox").await;

    let _second = SecondService::start_later(NEW_MESSAGE_LEASE, &installation, &mut world).await;
    wait_until("the SMS is accepted", async || installation.count("outbox WHERE state = 'accepted'").await == 1).await;
    assert_eq!(texts(&world, &person).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_sms_that_a_killed_process_may_have_sent_is_not_sent_again() {
    let (mut world, installation) = new_installation().await;
    world.slow_down("/gateway", 60).await;
    let first = installation.start().await;
    world.channel = first.connect_as("phone");
    let person = world.new_person().await;
    let verification = world.identify(&person).await;
    world.issue("phone", &verification).await.unwrap();
    wait_until("the SMS is on the phone", async || !texts(&world, &person).await.is_empty()).await;
    first.kill();
    world.set_mode("/gateway", "accept").await;

    let second = SecondService::start(&installation, &mut world).await;
    wait_until("the SMS is given up", async || installation.count("outbox WHERE state = 'failed'").await == 1).await;
    assert_eq!(texts(&world, &person).await.len(), 1);

    // The person may not have received it, and can order it again.
    second.clock.advance(Duration::from_secs(1));
    world.issue("phone", &verification).await.unwrap();
    wait_until("the SMS is accepted", async || installation.count("outbox WHERE state = 'accepted'").await == 1).await;
    let texts = texts(&world, &person).await;
    assert_eq!(texts.len(), 2);
    assert_eq!(pin_in(&texts[0]), pin_in(&texts[1]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_killed_at_any_point_sends_nothing_twice_and_loses_nothing() {
    let (mut world, installation) = new_installation().await;
    let mut people = Vec::new();
    for _ in 0..8 {
        let first = installation.start().await;
        world.channel = first.connect_as("phone");
        let person = world.new_person().await;
        let verification = world.identify(&person).await;
        world.issue("phone", &verification).await.unwrap();
        tokio::time::sleep(random::secure().random_range(Duration::ZERO..Duration::from_millis(15))).await;
        first.kill();
        people.push(person);
    }

    let _second = SecondService::start(&installation, &mut world).await;
    wait_until("no SMS is queued", async || installation.count("outbox WHERE state = 'queued'").await == 0).await;
    let mut missing = 0;
    for person in &people {
        let texts = texts(&world, person).await.len();
        assert!(texts <= 1, "{} got {texts}", person.id());
        missing += 1 - texts as i64;
    }
    // An SMS is given up only if its hand-over had started when the process was killed.
    let given_up = installation.count("outbox WHERE state = 'failed' AND last_error = 'outcome unknown'").await;
    let accepted = installation.count("outbox WHERE state = 'accepted'").await;
    assert_eq!(accepted + given_up, people.len() as i64);
    assert!(missing <= given_up, "{missing} missing, {given_up} given up");
}

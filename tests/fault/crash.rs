//! A process that is killed right after it has issued a PIN. Another one, on the same database and key ring, finishes its
//! work once the lease has run out, and sends nothing twice.

use std::sync::Arc;
use std::time::Duration;

use http::HeaderMap;
use made_up_world::plaintext;
use rand::RngExt as _;
use temporary_pin::clock::ShiftedClock;
use temporary_pin::config::Role;
use temporary_pin::domain::channel::Channel;
use temporary_pin::grpc::authentication::{Caller, CallerResolver};
use temporary_pin::{random, server};
use test_support::acts::pin_in;
use test_support::installation::Installation;
use test_support::person::Person;
use test_support::sandbox::Sandbox;
use test_support::world::{World, until};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tonic::transport::Endpoint;

use crate::faulty::LEASE;

/// The second service, in the test's own process, so that its clock can be moved.
struct Second {
    clock: ShiftedClock,
    task: JoinHandle<anyhow::Result<()>>,
}

/// Who calls the second service is the phone channel, as it was with the first.
struct Phone;

impl CallerResolver for Phone {
    fn resolve(&self, _: &HeaderMap) -> Option<Caller> {
        Some(Caller { name: "phone".into(), roles: vec![Role::Channel(Channel::Phone)] })
    }
}

impl Second {
    /// Starts when the lease of the first has run out. From now on the world's calls go to it.
    async fn start(installation: &Installation, world: &mut World) -> Self {
        let clock = ShiftedClock::default();
        clock.advance(LEASE.to_std().unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        world.channel = Endpoint::from_shared(url).unwrap().connect_lazy();
        let (config, time) = (installation.config(), Arc::new(clock.clone()));
        let listeners = vec![plaintext::listen(listener, Arc::new(Phone)).unwrap()];
        let draws = Arc::new(|_| Box::new(random::secure()) as _);
        let serve = async move { server::run(&config, time, draws, listeners, std::future::pending()).await };
        Self { clock, task: tokio::spawn(serve) }
    }
}

impl Drop for Second {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn open() -> (World, Installation) {
    let world = World::around(Sandbox::start(&["--people", "20"])).await;
    let installation = Installation::new(&world.sandbox).await;
    (world, installation)
}

/// What is on the phone.
async fn texts(world: &World, person: &Person) -> Vec<String> {
    let messages = world.sandbox.get(&format!("/phones/{}/messages", person.mobile_number())).await;
    messages.as_array().unwrap().iter().map(|message| message["text"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_killed_process_did_not_send_goes_out_once() {
    let (mut world, installation) = open().await;
    world.set("/gateway", "down").await;
    let first = installation.start().await;
    world.channel = first.caller("phone");
    let person = world.somebody().await;
    let verification = world.identify(&person).await;
    world.issue("phone", &verification).await.unwrap();
    // In the middle of a hand-over nobody would know whether it was sent: see below.
    let refused = "outbox WHERE attempts > 0 AND handover_time IS NULL";
    until("the gateway was tried", async || installation.count(refused).await == 1).await;
    first.kill();
    world.set("/gateway", "accept").await;

    let _second = Second::start(&installation, &mut world).await;
    until("it is accepted", async || installation.count("outbox WHERE state = 'accepted'").await == 1).await;
    assert_eq!(texts(&world, &person).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_killed_process_may_have_sent_is_not_sent_again() {
    let (mut world, installation) = open().await;
    world.slow("/gateway", 60).await;
    let first = installation.start().await;
    world.channel = first.caller("phone");
    let person = world.somebody().await;
    let verification = world.identify(&person).await;
    world.issue("phone", &verification).await.unwrap();
    until("it is on the phone", async || !texts(&world, &person).await.is_empty()).await;
    first.kill();
    world.set("/gateway", "accept").await;

    let second = Second::start(&installation, &mut world).await;
    until("it is given up", async || installation.count("outbox WHERE state = 'failed'").await == 1).await;
    assert_eq!(texts(&world, &person).await.len(), 1);

    // The person, who may not have it, can order it again.
    second.clock.advance(Duration::from_secs(1));
    world.issue("phone", &verification).await.unwrap();
    until("it is accepted", async || installation.count("outbox WHERE state = 'accepted'").await == 1).await;
    let texts = texts(&world, &person).await;
    assert_eq!(texts.len(), 2);
    assert_eq!(pin_in(&texts[0]), pin_in(&texts[1]));
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_any_point_nothing_is_sent_twice_and_nothing_is_forgotten() {
    let (mut world, installation) = open().await;
    let mut people = Vec::new();
    for _ in 0..8 {
        let first = installation.start().await;
        world.channel = first.caller("phone");
        let person = world.somebody().await;
        let verification = world.identify(&person).await;
        world.issue("phone", &verification).await.unwrap();
        tokio::time::sleep(random::secure().random_range(Duration::ZERO..Duration::from_millis(15))).await;
        first.kill();
        people.push(person);
    }

    let _second = Second::start(&installation, &mut world).await;
    until("nothing is left to do", async || installation.count("outbox WHERE state = 'queued'").await == 0).await;
    let mut missing = 0;
    for person in &people {
        let texts = texts(&world, person).await.len();
        assert!(texts <= 1, "{} got {texts}", person.id());
        missing += 1 - texts as i64;
    }
    // Given up is what a process had begun to hand over when it was killed, and nothing else.
    let given_up = installation.count("outbox WHERE state = 'failed' AND last_error = 'outcome unknown'").await;
    let accepted = installation.count("outbox WHERE state = 'accepted'").await;
    assert_eq!(accepted + given_up, people.len() as i64);
    assert!(missing <= given_up, "{missing} missing, {given_up} given up");
}

//! R26: a dependency is down. Every method fails closed and in time, and no data is lost.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use rstest::rstest;
use serde_json::json;
use temporary_pin::proto::temporarypin::v1::redeem_temporary_pin_response::Outcome;
use temporary_pin::proto::temporarypin::v1::verify_identity_request::Evidence;
use temporary_pin::proto::temporarypin::v1::verify_identity_response::State;
use temporary_pin::proto::temporarypin::v1::{Reason, WebLogin};
use test_support::acts::right_answer;
use test_support::calls::{Answer, uuid};
use tonic::Code;
use tonic_health::pb::health_check_response::ServingStatus;

use crate::faulty_sandbox::FaultySandbox;

/// The default deadline of calls.
const DEADLINE: Duration = Duration::from_secs(10);

#[derive(Clone, Copy)]
pub(crate) enum Outage {
    RedisDown,
    RedisSilent,
    PostgresDown,
    PostgresSilent,
    RegisterDown,
    RegisterSlow,
}

impl Outage {
    pub(crate) async fn start(self, faulty: &FaultySandbox) {
        match self {
            Self::RedisDown => faulty.redis.refuse(),
            Self::RedisSilent => faulty.redis.stall(),
            Self::PostgresDown => faulty.postgres.refuse(),
            Self::PostgresSilent => faulty.postgres.stall(),
            Self::RegisterDown => faulty.world.set_mode("/register", "down").await,
            Self::RegisterSlow => faulty.world.slow_down("/register", 60).await,
        }
    }

    /// Whether the outage makes the instance unhealthy. The register does not: every instance uses the same one.
    fn makes_unhealthy(self) -> bool {
        !matches!(self, Self::RegisterDown | Self::RegisterSlow)
    }
}

#[track_caller]
fn assert_unavailable<T>(answer: Answer<T>) {
    // `Refusal::read` already checks that RetryInfo is present.
    answer.err().expect("no answer without the dependency").assert(Code::Unavailable, Reason::Unavailable);
}

#[rstest]
#[case::redis_down(Outage::RedisDown)]
#[case::redis_silent(Outage::RedisSilent)]
#[case::postgres_down(Outage::PostgresDown)]
#[case::postgres_silent(Outage::PostgresSilent)]
#[case::register_down(Outage::RegisterDown)]
#[case::register_slow(Outage::RegisterSlow)]
#[tokio::test(flavor = "multi_thread")]
async fn r26_an_outage_stops_every_method_and_loses_nothing(#[case] outage: Outage) {
    let faulty = FaultySandbox::start(10).await;
    let world = &faulty.world;
    let (answering, ordering, redeeming) =
        (world.new_person().await, world.new_person().await, world.new_person().await);
    let (calling, logging_in) = (world.new_person().await, world.new_person().await);
    let response = world.begin_questions(&answering).await;
    let answers = world.answers(&response, |_, question| right_answer(&answering, question)).await;
    let verification = world.identify(&ordering).await;
    let pin = world.order_pin(&redeeming).await;
    let nonce = uuid().to_string();
    let id_token = world.id_token(&logging_in, &nonce, &json!({})).await;
    let (issue_id, redeem_id) = (uuid(), uuid());

    let check = || world.check_eligibility("counter", calling.reference());
    let call = || world.call_support(&calling);
    let answer = || world.verify("phone", Evidence::QuestionAnswers(answers.clone()));
    let login = WebLogin { id_token, nonce, ..WebLogin::default() };
    let log_in = || world.verify("web", Evidence::WebLogin(login.clone()));
    let issue = || world.issue_with_request_id("phone", &verification, issue_id);
    let redeem = || world.redeem_with_request_id(redeeming.reference(), &pin, redeem_id);

    outage.start(&faulty).await;
    let start = Instant::now();
    // As many calls as the limit of failed verifications (R18).
    let calls = async { tokio::join!(call(), call(), call()) };
    let (checked, called, answered, logged_in, issued, redeemed) =
        tokio::join!(check(), calls, answer(), log_in(), issue(), redeem());
    assert!(start.elapsed() < DEADLINE, "{:?}", start.elapsed());
    assert_unavailable(checked);
    assert_unavailable(called.0);
    assert_unavailable(called.1);
    assert_unavailable(called.2);
    assert_unavailable(answered);
    assert_unavailable(logged_in);
    assert_unavailable(issued);
    assert_unavailable(redeemed);
    if outage.makes_unhealthy() {
        faulty.await_health(ServingStatus::NotServing).await;
    }
    assert_eq!(world.count("pin_requests").await, 1, "nothing is issued");
    assert_eq!(world.count("outbox").await, 1, "nothing is sent");

    faulty.restore_all().await;
    faulty.await_health(ServingStatus::Serving).await;
    check().await.unwrap();
    assert_eq!(call().await.unwrap().state(), State::QuestionsPending, "interrupted verifications did not count (R18)");
    assert_eq!(answer().await.unwrap().state(), State::Verified, "the round of answers was not lost");
    assert_eq!(log_in().await.unwrap().state(), State::Verified, "the login was not used up");
    let first = issue().await.unwrap();
    assert_eq!(issue().await.unwrap().id, first.id);
    assert_eq!(world.texts(&ordering).await.len(), 1);
    assert_eq!(redeem().await.unwrap().outcome(), Outcome::Redeemed);
}

/// A host dies without closing its connections, and another takes over its address.
#[tokio::test(flavor = "multi_thread")]
async fn r26_silent_connections_are_replaced() {
    let faulty = FaultySandbox::start(1).await;
    let world = &faulty.world;
    let person = world.new_person().await;
    let check = || world.check_eligibility("phone", person.reference());
    let many_checks = || join_all((0..40).map(|_| check()));
    for answer in many_checks().await {
        answer.unwrap();
    }
    faulty.postgres.silence();
    faulty.redis.silence();

    let start = Instant::now();
    for answer in many_checks().await {
        if let Err(refusal) = answer {
            refusal.assert(Code::Unavailable, Reason::Unavailable);
        }
    }
    assert!(start.elapsed() < DEADLINE, "{:?}", start.elapsed());
    faulty.await_health(ServingStatus::Serving).await;
    for answer in many_checks().await {
        answer.unwrap();
    }
}

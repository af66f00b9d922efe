//! The service gives every reason of the contract once, with the code that the comment of the reason names.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::TimeDelta;
use futures_util::future::join3;
use prost_reflect::DescriptorPool;
use serde_json::json;
use temporary_pin::domain::channel::Channel;
use temporary_pin::domain::rule_settings::Limit;
use temporary_pin::guard::Bucket;
use temporary_pin::proto::DESCRIPTOR_SET;
use temporary_pin::proto::temporarypin::v1::counter_identification::Confirmation;
use temporary_pin::proto::temporarypin::v1::verify_identity_request::Evidence;
use temporary_pin::proto::temporarypin::v1::{
    CheckEligibilityRequest, IssueTemporaryPinRequest, Language, PersonLimit, QuestionAnswers, Reason,
    VerifyIdentityResponse, WebLogin,
};
use test_support::acts::{QUESTIONS, reasons, wrong};
use test_support::calls::{Answer, Refusal, time, uuid};
use test_support::person::{unknown_document, unknown_person};
use test_support::sandbox::Sandbox;
use test_support::world::World;
use tonic::Code;

use crate::edge::{RawCall, TEMPORARY_PIN_SERVICE, frame_message};

/// The contract, with the comments of the reasons.
const CONTRACT: &str = include_str!("../../proto/temporarypin/v1/common.proto");

/// How a caller gets a reason.
enum GivenReason {
    /// In the details of an error.
    Refused(Box<Refusal>),
    /// In a response of VerifyIdentity.
    Rejected(Vec<Reason>),
}

impl GivenReason {
    fn reason(&self) -> Reason {
        match self {
            Self::Refused(refusal) => refusal.reason,
            Self::Rejected(reasons) => reasons[0],
        }
    }

    /// The code as the comments of the contract name it.
    fn code(&self) -> String {
        match self {
            Self::Refused(refusal) => {
                let words = format!("{:?}", refusal.code);
                words.char_indices().fold(String::new(), |name, (at, letter)| {
                    let gap = if at > 0 && letter.is_uppercase() { "_" } else { "" };
                    name + gap + &letter.to_uppercase().to_string()
                })
            }
            Self::Rejected(_) => "REJECTED".into(),
        }
    }
}

fn from_refused<T>(answer: Answer<T>) -> GivenReason {
    GivenReason::Refused(Box::new(answer.err().expect("a refusal")))
}

fn from_verification(answer: Answer<VerifyIdentityResponse>) -> GivenReason {
    match answer {
        Ok(answer) => GivenReason::Rejected(reasons(&answer)),
        Err(refusal) => GivenReason::Refused(Box::new(refusal)),
    }
}

/// Makes the service give the reason. `None`: this function does not know how.
async fn provoke(world: &World, reason: Reason) -> Option<GivenReason> {
    let login = async |options| from_verification(world.try_log_in(&world.new_person().await, options).await);
    let call = async |id| from_verification(world.call_support(&world.person(id).await).await);
    let visit = async |id, confirmation| {
        let visit = world.counter_evidence(&world.person(id).await, confirmation).await;
        from_verification(world.visit_counter(visit).await)
    };
    Some(match reason {
        Reason::InvalidField => from_refused(world.issue("phone", "").await),
        Reason::RequestIdReused => request_id_reused(world).await,
        Reason::CallerUnknown => from_refused(world.check_eligibility("unknown-caller", unknown_person()).await),
        Reason::CallerNotAllowed => from_refused(world.check_eligibility("redeemer", unknown_person()).await),
        Reason::MethodUnknown => {
            let path = &format!("{TEMPORARY_PIN_SERVICE}/RevealTemporaryPin");
            GivenReason::Refused(Box::new(
                RawCall { path, caller: Some("web"), body: frame_message(&[]) }.expect_refusal(world).await,
            ))
        }
        Reason::MessageTooLarge => {
            let login = WebLogin { id_token: "x".repeat(100_000), nonce: uuid().to_string(), ..WebLogin::default() };
            from_refused(world.verify("web", Evidence::WebLogin(login)).await)
        }

        Reason::IdentityNotConfirmed => {
            from_verification(world.call_support_with(unknown_person(), unknown_document()).await)
        }
        Reason::InsufficientData => call("no-data").await,
        Reason::LoginNotAccepted => login(json!({ "audience": "another-service" })).await,
        Reason::LoginTooOld => login(json!({ "auth_age_seconds": 301 })).await,
        Reason::AssuranceTooLow => login(json!({ "assurance": "Low" })).await,
        Reason::AgentNotAccepted => {
            let mut visit = world.counter_evidence(&world.new_person().await, QUESTIONS).await;
            visit.agent_token = "not.a.token".into();
            from_verification(world.visit_counter(visit).await)
        }
        Reason::DocumentNotAccepted => visit("lost-passport", QUESTIONS).await,
        Reason::WitnessNotAccepted => {
            let young = world.vouches(&world.person("witness-17").await).await;
            visit("david", young).await
        }
        Reason::WitnessLoginNotAccepted => {
            let witness = world.person("witness").await;
            let too_old = json!({ "auth_age_seconds": 1000 });
            let witness = world.witness_with(&witness, witness.document(), too_old).await;
            visit("david", Confirmation::Witness(witness)).await
        }

        Reason::TooYoung => call("thirteen-tomorrow").await,
        Reason::PersonDead => call("dead").await,
        Reason::PersonDisappeared => call("disappeared").await,
        Reason::CprNumberNotValid => call("annulled-number").await,
        Reason::CounterOnly => call("emigrated").await,
        Reason::CprStatusUnclear => call("status-unknown").await,
        Reason::InPersonOnly => call("credit-warning").await,
        Reason::MitidNotActive => call("mitid-blocked").await,
        Reason::NoMobileNumber => call("no-mobile").await,
        Reason::MobileNumberNotAllowed => call("swedish-mobile").await,
        Reason::MobileNumberChangedRecently => call("mobile-yesterday").await,

        Reason::PersonBlocked => {
            let person = world.new_person().await;
            world.block_person(person.reference()).await.unwrap();
            from_verification(world.call_support(&person).await)
        }

        Reason::AccessNotRequested => access_not_requested(world).await,
        Reason::HoldRunning => {
            let login = world.log_in(&world.new_person().await).await;
            from_refused(world.issue("web", &login.verification_id).await)
        }
        Reason::AccessExpired => {
            let person = world.new_person().await;
            let expire_time = time(world.log_in(&person).await.access_hold.unwrap().expire_time);
            world.advance_to(expire_time - TimeDelta::minutes(5)).await;
            let login = world.log_in(&person).await;
            world.advance_to(expire_time).await;
            from_refused(world.issue("web", &login.verification_id).await)
        }
        Reason::LoginAgain => {
            let person = world.new_person().await;
            let eligible_time = time(world.log_in(&person).await.access_hold.unwrap().eligible_time);
            world.advance_to(eligible_time - TimeDelta::minutes(5)).await;
            let login = world.log_in(&person).await;
            world.advance_to(eligible_time).await;
            from_refused(world.issue("web", &login.verification_id).await)
        }

        Reason::VerificationUnknown => from_refused(world.issue("phone", "not-a-verification-id").await),
        Reason::VerificationNotConfirmed => {
            let response = world.begin_questions(&world.new_person().await).await;
            from_refused(world.issue("phone", &response.verification_id).await)
        }
        Reason::VerificationExpired => {
            let verification = world.identify(&world.new_person().await).await;
            world.advance(TimeDelta::minutes(16)).await;
            from_refused(world.issue("phone", &verification).await)
        }
        Reason::VerificationUsed => {
            let person = world.new_person().await;
            let response = world.begin_questions(&person).await;
            let answers =
                world.answers(&response, |_, question| test_support::acts::right_answer(&person, question)).await;
            let answer =
                async |answers: QuestionAnswers| world.verify("phone", Evidence::QuestionAnswers(answers)).await;
            answer(answers.clone()).await.unwrap();
            from_refused(answer(answers).await)
        }

        Reason::VerificationLimit => {
            let person = world.new_person().await;
            for _ in 0..3 {
                world.fail_verification(&person).await;
            }
            from_verification(world.call_support(&person).await)
        }
        Reason::PersonLimit => pin_limit(world, &["anna"; 3], "anna").await,
        Reason::MobileLimit => {
            let [first, second] = ["shared-phone", "shared-phone-2"];
            pin_limit(world, &[first, first, first, second, second], second).await
        }
        Reason::AgentLimit => loop {
            let evidence = world.phone_evidence(unknown_person(), unknown_document(), "busy").await;
            match world.verify("phone", evidence).await {
                // The person's limit is checked after the agent's limit.
                Ok(_) => {}
                Err(refusal) if refusal.reason == Reason::VerificationLimit => {}
                Err(refusal) => break GivenReason::Refused(Box::new(refusal)),
            }
        },
        Reason::CallerLimit => {
            exhaust(world, Bucket::CallerCalls("counter")).await;
            from_refused(world.check_eligibility("counter", unknown_person()).await)
        }
        Reason::ServiceLimit => {
            let verification = world.identify(&world.new_person().await).await;
            exhaust(world, Bucket::ServicePins).await;
            from_refused(world.issue("phone", &verification).await)
        }
        Reason::Overloaded => {
            world.sandbox.post("/register", json!({ "mode": "slow", "seconds": 60 })).await;
            let check = || world.check_eligibility("phone", unknown_person());
            let (first, second, third) = join3(check(), check(), check()).await;
            let shed = [first, second, third].into_iter().filter_map(Result::err);
            GivenReason::Refused(Box::new(
                shed.into_iter()
                    .find(|refusal| refusal.code == Code::ResourceExhausted)
                    .expect("one of three calls is too many"),
            ))
        }

        Reason::Busy => busy(world).await,
        Reason::WrongTryLimit => wrong_try_limit(world).await,

        Reason::Unavailable => {
            world.sandbox.post("/register", json!({ "mode": "down" })).await;
            from_refused(world.check_eligibility("phone", unknown_person()).await)
        }
        Reason::DeadlineExceeded => {
            let request = CheckEligibilityRequest { person: Some(unknown_person()) };
            let body = frame_message(&prost::Message::encode_to_vec(&request));
            let path = &format!("{TEMPORARY_PIN_SERVICE}/CheckEligibility");
            GivenReason::Refused(Box::new(
                RawCall { path, caller: Some("phone"), body }.expect_refusal_within(world, "1m").await,
            ))
        }
        Reason::Internal => {
            world.sandbox.post("/register", json!({ "mode": "up" })).await;
            let rename = "ALTER TABLE pin_requests RENAME TO renamed_pin_requests";
            sqlx::raw_sql(rename).execute(&mut world.database().await).await.unwrap();
            from_refused(world.check_eligibility("phone", world.person("bjarne").await.reference()).await)
        }
        Reason::Unspecified => return None,
        #[allow(unreachable_patterns, reason = "for reasons that are added to the contract later")]
        _ => return None,
    })
}

async fn request_id_reused(world: &World) -> GivenReason {
    let verification_id = world.identify(&world.new_person().await).await;
    let request = IssueTemporaryPinRequest { request_id: uuid().to_string(), verification_id, language: 0 };
    world.send_order("phone", request.clone()).await.unwrap();
    from_refused(world.send_order("phone", IssueTemporaryPinRequest { language: Language::En.into(), ..request }).await)
}

/// Two logins after the hold. The first one gets a PIN, which closes the access request.
async fn access_not_requested(world: &World) -> GivenReason {
    let person = world.new_person().await;
    let eligible_time = time(world.log_in(&person).await.access_hold.unwrap().eligible_time);
    world.advance_to(eligible_time).await;
    let (first, second) = (world.log_in(&person).await, world.log_in(&person).await);
    world.issue("web", &first.verification_id).await.unwrap();
    let pin = test_support::acts::pin_in(world.texts(&person).await.last().unwrap());
    world.redeem(person.reference(), &pin).await.unwrap();
    from_refused(world.issue("web", &second.verification_id).await)
}

/// Each person of `redeeming` gets a PIN and redeems it. Then `ordering` orders one more PIN.
async fn pin_limit(world: &World, redeeming: &[&str], ordering: &str) -> GivenReason {
    for id in redeeming {
        let person = world.person(id).await;
        let pin = world.order_pin(&person).await;
        world.redeem(person.reference(), &pin).await.unwrap();
    }
    let verification = world.identify(&world.person(ordering).await).await;
    from_refused(world.issue("phone", &verification).await)
}

/// Exhausts the bucket of a rate for a minute.
async fn exhaust(world: &World, bucket: Bucket<'_>) {
    world.spend(bucket, Limit { times: 1, per: Duration::from_secs(60) }, 1).await;
}

/// A call that is running in another instance has spent the person's limit.
async fn busy(world: &World) -> GivenReason {
    world.sandbox.post("/register", json!({ "mode": "up" })).await;
    let person = world.new_person().await;
    let bucket = Bucket::FailedVerifications(world.person_key(&person), Channel::Phone);
    world.spend(bucket, Limit { times: 3, per: Duration::from_secs(24 * 3600) }, 3).await;
    from_verification(world.call_support(&person).await)
}

/// Nine wrong tries over three PINs, and a tenth on a fourth PIN, which the person gets after an operator's reset.
async fn wrong_try_limit(world: &World) -> GivenReason {
    world.sandbox.post("/register", json!({ "mode": "up" })).await;
    // The limit of the whole service is exhausted for a minute.
    world.advance(TimeDelta::minutes(1)).await;
    let person = world.new_person().await;
    for tries in [3, 3, 3, 1] {
        world.reset_limit(&person, PersonLimit::PersonPins).await;
        let pin = world.order_pin(&person).await;
        for _ in 0..tries {
            world.redeem(person.reference(), &wrong(&pin)).await.unwrap();
        }
    }
    let verification = world.identify(&person).await;
    from_refused(world.issue("phone", &verification).await)
}

/// The comment of each reason in the contract.
fn read_comments() -> BTreeMap<String, String> {
    let (mut comments, mut comment) = (BTreeMap::new(), String::new());
    for line in CONTRACT.lines().map(str::trim) {
        if let Some(text) = line.strip_prefix("//") {
            comment += text;
        } else {
            if let Some((name, _)) = line.split_once(" = ") {
                comments.insert(name.to_owned(), comment.clone());
            }
            comment.clear();
        }
    }
    comments
}

#[tokio::test]
async fn every_reason_comes_with_the_code_that_the_contract_names() {
    let world = World::with_sandbox(Sandbox::start(&["--people", "40", "--max-calls", "2"])).await;
    let (pool, comments) = (DescriptorPool::decode(DESCRIPTOR_SET).unwrap(), read_comments());
    let contract = pool.get_enum_by_name("temporarypin.v1.Reason").unwrap();
    let mut missing = Vec::new();
    for value in contract.values().filter(|value| value.number() != 0) {
        let reason = Reason::try_from(value.number()).unwrap();
        let Some(given) = provoke(&world, reason).await else {
            missing.push(reason);
            continue;
        };
        assert_eq!(given.reason(), reason, "{} instead of {reason:?}", given.reason().as_str_name());
        if let GivenReason::Refused(refusal) = &given {
            let text = refusal.details.localized_message().expect("a text for the person");
            assert!(text.locale == "en" && !text.message.is_empty(), "{reason:?}: {text:?}");
        }
        let comment = &comments[value.name()];
        assert!(comment.contains(&format!(" {}", given.code())), "{reason:?} has the code {}: {comment}", given.code());
    }
    assert!(missing.is_empty(), "provoke() does not know these: {missing:?}");
}

//! The PIN is issued once and sent to the registered mobile number (R1, R2, R5, R21, R24).

use chrono::TimeDelta;
use futures_util::future::join_all;
use prost::Message as _;
use temporary_pin::proto::temporarypin::v1::pin_request::{DispatchState, State};
use temporary_pin::proto::temporarypin::v1::{Channel, IssueTemporaryPinRequest, Language, Reason};
use test_support::acts::{QUESTIONS, pin_in};
use test_support::calls::{time, uuid};
use test_support::world::World;
use tonic::Code;

#[tokio::test]
async fn r1_r2_the_pin_is_sent_by_sms_and_is_in_no_answer() {
    let world = World::start().await;
    let person = world.new_person().await;
    let verification = world.identify(&person).await;

    let issued = world.issue("phone", &verification).await.unwrap();

    assert_eq!((issued.state(), issued.channel()), (State::Open, Channel::Phone));
    assert_eq!(issued.dispatch_state(), DispatchState::Queued);
    assert_eq!(time(issued.expire_time), time(issued.create_time) + TimeDelta::minutes(10));
    assert_eq!(time(issued.next_send_time), time(issued.create_time) + TimeDelta::seconds(60));
    let messages = world.messages(&person).await;
    assert_eq!(messages.len(), 1);
    let pin = pin_in(messages[0]["text"].as_str().unwrap());
    let seen = world.check_eligibility("phone", person.reference()).await.unwrap().open_pin_request.unwrap();
    assert_eq!((&seen.id, seen.dispatch_state()), (&issued.id, DispatchState::Accepted));
    for answer in [&issued, &seen] {
        let bytes = answer.encode_to_vec();
        assert!(!bytes.windows(8).any(|window| window == pin.as_bytes()), "the PIN is in the answer");
    }
    // The gateway may try to deliver the SMS only until the PIN expires (R24).
    let validity = messages[0]["validity_seconds"].as_u64().unwrap();
    assert!((590..=600).contains(&validity), "{validity}");
}

#[tokio::test]
async fn r5_a_repeated_request_changes_nothing_and_sends_nothing() {
    let world = World::start().await;
    let (person, request_id) = (world.new_person().await, uuid());
    let verification = world.identify(&person).await;
    let first = world.issue_with_request_id("phone", &verification, request_id).await.unwrap();
    world.settle().await;

    for wait in [0, 61, 600] {
        world.advance(TimeDelta::seconds(wait)).await;
        assert_eq!(
            world.issue_with_request_id("phone", &verification, request_id).await.unwrap(),
            first,
            "after {wait} s"
        );
    }
    world.wipe_redis().await;
    assert_eq!(world.issue_with_request_id("phone", &verification, request_id).await.unwrap(), first);

    assert_eq!(world.texts(&person).await.len(), 1);
}

#[tokio::test]
async fn r5_concurrent_repeats_of_one_request_send_one_pin() {
    let world = World::start().await;
    let (person, request_id) = (world.new_person().await, uuid());
    let verification = world.identify(&person).await;

    let all = join_all((0..32).map(|_| world.issue_with_request_id("phone", &verification, request_id))).await;

    let first = all[0].as_ref().unwrap();
    assert!(all.iter().all(|answer| answer.as_ref().unwrap() == first));
    assert_eq!(world.texts(&person).await.len(), 1);
}

#[tokio::test]
async fn r5_concurrent_orders_open_one_pin_request() {
    let world = World::start().await;
    let person = world.new_person().await;
    let verification = world.identify(&person).await;

    let all = join_all((0..32).map(|_| world.issue("phone", &verification))).await;

    let first = all[0].as_ref().unwrap();
    assert!(all.iter().all(|answer| answer.as_ref().unwrap().id == first.id));
    assert_eq!(world.texts(&person).await.len(), 1);
}

#[tokio::test]
async fn a_used_request_id_with_another_payload_is_refused() {
    let world = World::start().await;
    let (person, request_id) = (world.new_person().await, uuid());
    let verification = world.identify(&person).await;
    world.issue_with_request_id("phone", &verification, request_id).await.unwrap();

    let other_person_verification = world.identify(&world.new_person().await).await;
    let other_verification = world.issue_with_request_id("phone", &other_person_verification, request_id).await;
    let request = IssueTemporaryPinRequest {
        request_id: request_id.to_string(),
        verification_id: verification,
        language: Language::En.into(),
    };
    let other_language = world.send_order("phone", request).await;

    for refusal in [other_verification.unwrap_err(), other_language.unwrap_err()] {
        refusal.assert(Code::InvalidArgument, Reason::RequestIdReused);
        assert_eq!(refusal.fields(), ["request_id"]);
    }
}

#[tokio::test]
async fn r5_the_same_pin_is_sent_again_after_a_minute_up_to_three_sends() {
    let world = World::start().await;
    let person = world.new_person().await;
    let verification = world.identify(&person).await;
    let first = world.issue("phone", &verification).await.unwrap();

    for sends in 1..=3 {
        // Too early for a resend: the answer is the open PIN request, and no SMS is sent.
        let open = world.issue("phone", &verification).await.unwrap();
        assert_eq!((&open.id, open.expire_time), (&first.id, first.expire_time), "expiry never moves");
        assert_eq!(world.texts(&person).await.len(), sends);
        assert_eq!(open.next_send_time.is_some(), sends < 3, "{open:?}");
        if sends < 3 {
            let wait = time(open.next_send_time) - world.now().await;
            assert!(TimeDelta::seconds(50) < wait && wait <= TimeDelta::seconds(60), "{wait}");
        }
        world.advance(TimeDelta::seconds(61)).await;
        let sent = world.issue("phone", &verification).await.unwrap();
        assert_eq!((&sent.id, sent.expire_time), (&first.id, first.expire_time), "expiry never moves");
    }

    let pins: Vec<String> = world.texts(&person).await.iter().map(|text| pin_in(text)).collect();
    assert_eq!(pins.len(), 3, "no fourth send");
    assert!(pins.iter().all(|pin| *pin == pins[0]), "always the same PIN");
}

/// A verification in a second channel gets the same open PIN request.
#[tokio::test]
async fn r5_a_person_has_one_open_pin_over_all_channels() {
    let world = World::start().await;
    let person = world.new_person().await;
    let by_phone = world.identify(&person).await;
    let first = world.issue("phone", &by_phone).await.unwrap();
    let visit = world.counter_evidence(&person, QUESTIONS).await;
    let response = world.visit_counter(visit).await.unwrap();
    let at_the_counter = world.answer_right("counter", &person, &response, 3).await.verification_id;

    let open = world.issue("counter", &at_the_counter).await.unwrap();

    assert_eq!((&open.id, open.channel()), (&first.id, Channel::Phone));
    assert_eq!(world.texts(&person).await.len(), 1);
}

#[tokio::test]
async fn r21_a_verification_is_valid_for_its_caller_only() {
    let world = World::start().await;
    let verification = world.identify(&world.new_person().await).await;
    for (caller, verification) in
        [("counter", &verification), ("web", &verification), ("phone", &verification[1..].into())]
    {
        let refusal = world.issue(caller, verification).await.unwrap_err();
        refusal.assert_precondition(Reason::VerificationUnknown);
    }
    world.issue("phone", &verification).await.unwrap();
}

#[tokio::test]
async fn r21_a_verification_is_valid_for_fifteen_minutes() {
    let world = World::start().await;
    let (person, late_person) = (world.new_person().await, world.new_person().await);
    let verification = world.identify(&person).await;
    let response = world.begin_questions(&late_person).await;
    world.advance(TimeDelta::minutes(14)).await;
    world.issue("phone", &verification).await.unwrap();
    let verification = world.identify(&person).await;

    world.advance(TimeDelta::minutes(15)).await;

    let refusal = world.issue("phone", &verification).await.unwrap_err();
    refusal.assert_precondition(Reason::VerificationExpired);
    let refusal = world.answer("phone", &response, |_, _| "x".into()).await.unwrap_err();
    refusal.assert_precondition(Reason::VerificationExpired);
}

#[tokio::test]
async fn r21_a_verification_can_be_used_for_one_pin_request() {
    let world = World::start().await;
    let (redeeming, letting_expire) = (world.new_person().await, world.new_person().await);
    let redeemed = world.identify(&redeeming).await;
    world.issue("phone", &redeemed).await.unwrap();
    let pin = pin_in(&world.texts(&redeeming).await[0]);
    world.redeem(redeeming.reference(), &pin).await.unwrap();
    let expired = world.identify(&letting_expire).await;
    world.issue("phone", &expired).await.unwrap();
    world.advance(TimeDelta::minutes(11)).await;

    for verification in [redeemed, expired] {
        let refusal = world.issue("phone", &verification).await.unwrap_err();
        refusal.assert_precondition(Reason::VerificationUsed);
    }
}

#[tokio::test]
async fn r24_the_sms_is_in_the_persons_language() {
    let world = World::start().await;
    for (id, language, words) in [
        ("bjarne", Language::Unspecified, "Din midlertidige PIN-kode"),
        ("english", Language::Unspecified, "Your temporary MitID PIN code"),
        ("greenlandic-mobile", Language::Unspecified, "Kodetit allanut takutinngisaannakkit"),
        // The requested language.
        ("faroese-mobile", Language::En, "Your temporary MitID PIN code"),
    ] {
        let person = world.person(id).await;
        let verification_id = world.identify(&person).await;
        let request =
            IssueTemporaryPinRequest { request_id: uuid().to_string(), verification_id, language: language.into() };

        world.send_order("phone", request).await.unwrap();

        let texts = world.texts(&person).await;
        assert!(texts[0].contains(words) && texts[0].chars().count() <= 160, "{texts:?}");
        assert!(!texts[0].contains("://") && !texts[0].contains(person.0["name"].as_str().unwrap()), "{texts:?}");
    }
}

#[tokio::test]
async fn r24_an_expired_pin_is_never_sent() {
    let world = World::start().await;
    let person = world.new_person().await;
    world.sandbox.post("/gateway", serde_json::json!({ "mode": "down" })).await;
    let verification = world.identify(&person).await;
    world.issue("phone", &verification).await.unwrap();
    world.advance(TimeDelta::minutes(10)).await;

    world.sandbox.post("/gateway", serde_json::json!({ "mode": "accept" })).await;

    world.advance(TimeDelta::minutes(10)).await;
    assert_eq!(world.texts(&person).await, Vec::<String>::new());
}

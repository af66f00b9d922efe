//! What the service sends to OpenTelemetry: a trace per call with the requests to dependencies, metrics, and no personal
//! data.

use std::collections::BTreeSet;

use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use temporary_pin::proto::temporarypin::v1::redemption_service_client::RedemptionServiceClient;
use temporary_pin::proto::temporarypin::v1::temporary_pin_service_client::TemporaryPinServiceClient;
use temporary_pin::proto::temporarypin::v1::{
    CheckEligibilityRequest, IssueTemporaryPinRequest, RedeemTemporaryPinRequest, VerifyIdentityRequest,
};
use test_support::acts::{CLERK, pin_in};
use test_support::calls::uuid;
use test_support::collector::Collector;
use test_support::installation::Installation;
use test_support::person::Person;
use test_support::sandbox::Sandbox;
use test_support::world::{World, wait_until};
use tonic::Request;

/// A request that belongs to trace number `trace`.
fn with_trace<T>(trace: u8, message: T) -> Request<T> {
    let mut request = Request::new(message);
    let context = format!("00-{:032x}-{CALLER_SPAN_ID:016x}-01", trace);
    request.metadata_mut().insert("traceparent", context.parse().unwrap());
    request
}

/// The id of the caller's span, the same in every trace.
const CALLER_SPAN_ID: u64 = 0xff;

/// Calls each method once, in the traces 1 to 4. Returns the secrets that were used.
async fn call_each_method(world: &mut World, installation: &Installation, collector: &Collector) -> Vec<String> {
    let mut process = installation.start().await;
    let person = world.new_person().await;
    world.channel = process.connect_as("phone");
    let verification_id = world.identify(&person).await;
    let mut pins = TemporaryPinServiceClient::new(world.channel.clone());
    let check = CheckEligibilityRequest { person: Some(person.reference()) };
    pins.check_eligibility(with_trace(1, check)).await.unwrap();
    let other = world.new_person().await;
    let evidence = world.phone_evidence(other.reference(), other.document(), CLERK).await;
    let verify = VerifyIdentityRequest { evidence: Some(evidence), language: 0 };
    pins.verify_identity(with_trace(2, verify)).await.unwrap();
    let issue = IssueTemporaryPinRequest { request_id: uuid().to_string(), verification_id, language: 0 };
    pins.issue_temporary_pin(with_trace(3, issue)).await.unwrap();
    wait_until("the SMS is accepted", async || installation.count("outbox WHERE state = 'accepted'").await == 1).await;
    let messages = world.sandbox.get(&format!("/phones/{}/messages", person.mobile_number())).await;
    let pin = pin_in(messages[0]["text"].as_str().unwrap());

    let mut redemption = RedemptionServiceClient::new(process.connect_as("redeemer"));
    let redeem = RedeemTemporaryPinRequest {
        request_id: uuid().to_string(),
        person: Some(person.reference()),
        pin: pin.clone(),
    };
    redemption.redeem_temporary_pin(with_trace(4, redeem)).await.unwrap();

    // One call fails, so that the failure is counted.
    world.sandbox.post("/register", serde_json::json!({ "mode": "down" })).await;
    world.check_eligibility("phone", person.reference()).await.unwrap_err();
    process.terminate();
    assert_eq!(process.wait().await.code(), Some(0));
    assert!(!collector.spans().is_empty(), "the last spans are sent before the process ends");
    list_secrets(&[person, other], &pin)
}

/// Secrets and personal data that must not be exported, in every form that they could have.
fn list_secrets(people: &[Person], pin: &str) -> Vec<String> {
    let mut secrets = vec![pin.to_owned(), format!("{} {}", &pin[..4], &pin[4..])];
    for person in people {
        let text = |field: &str| person.0[field].as_str().unwrap();
        secrets.push(text("cpr_number").to_owned());
        secrets.push(text("mitid_uuid").to_owned());
        secrets.push(text("name").to_owned());
        secrets.push(text("mobile_number")[3..].to_owned());
        secrets.push(person.document().number);
        let facts = person.0["facts"].as_object().unwrap().values();
        let answers = facts.flat_map(|values| values.as_array().unwrap());
        // Years are left out: they are too short to be distinguished from other numbers.
        secrets.extend(answers.map(|fact| fact.as_str().unwrap().to_owned()).filter(|fact| fact.len() > 4));
    }
    secrets
}

fn names<'a>(spans: impl IntoIterator<Item = &'a Span>) -> BTreeSet<&'a str> {
    spans.into_iter().map(|span| span.name.as_str()).collect()
}

fn children<'a>(spans: &'a [Span], parent: &Span) -> Vec<&'a Span> {
    spans.iter().filter(|span| span.parent_span_id == parent.span_id).collect()
}

/// Checks the one server span of a trace, and the dependencies whose spans are its children.
#[track_caller]
fn assert_call(spans: &[Span], trace: u8, method: &str, dependencies: &[&str]) {
    let of_trace = |span: &&Span| span.trace_id[..15] == [0; 15] && span.trace_id[15] == trace;
    let servers: Vec<&Span> =
        spans.iter().filter(of_trace).filter(|span| span.kind == SpanKind::Server as i32).collect();
    assert_eq!(servers.len(), 1, "{servers:#?}");
    let server = servers[0];
    assert_eq!(server.name, format!("temporarypin.v1.{method}"));
    assert_eq!(server.parent_span_id, CALLER_SPAN_ID.to_be_bytes());
    let children = children(spans, server);
    assert_eq!(names(children.iter().copied()), BTreeSet::from_iter(dependencies.iter().copied()), "{method}");
    for child in children {
        assert_eq!(child.kind, SpanKind::Client as i32, "{}", child.name);
        assert!(of_trace(&child) && child.start_time_unix_nano >= server.start_time_unix_nano, "{}", child.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_call_is_traced_and_counted_without_personal_data() {
    let (collector, endpoint) = Collector::start().await;
    let mut world = World::with_sandbox(Sandbox::start(&["--people", "2"])).await;
    let mut installation = Installation::new(&world.sandbox).await;
    installation.set("TELEMETRY__OTLP_ENDPOINT", endpoint);
    let secrets = call_each_method(&mut world, &installation, &collector).await;

    let spans = collector.spans();
    assert_call(
        &spans,
        1,
        "TemporaryPinService/CheckEligibility",
        &["redis.spend", "register.look_up_person", "postgres.standing"],
    );
    assert_call(
        &spans,
        2,
        "TemporaryPinService/VerifyIdentity",
        &[
            "redis.spend",
            "register.look_up_person",
            "register.look_up_document",
            "postgres.current_person_block",
            "postgres.questions_asked_in_vain",
            "postgres.record_verification",
        ],
    );
    assert_call(
        &spans,
        3,
        "TemporaryPinService/IssueTemporaryPin",
        &["redis.spend", "register.look_up_person", "postgres.issue_temporary_pin"],
    );
    assert_call(
        &spans,
        4,
        "RedemptionService/RedeemTemporaryPin",
        &["redis.spend", "redis.refund", "register.look_up_person", "postgres.begin_try", "postgres.finish_try"],
    );
    let hand_over = spans.iter().find(|span| span.name == "hand_over").expect("the SMS is traced");
    let dependencies = names(children(&spans, hand_over));
    assert_eq!(dependencies, BTreeSet::from(["postgres.begin_handover", "gateway.send", "postgres.message_accepted"]));

    // Polls and probes have no spans: too many spans would hide the calls.
    let is_expected_root = |name: &&str| name.starts_with("temporarypin.v1.") || *name == "hand_over";
    let roots = names(spans.iter().filter(|span| span.parent_span_id.is_empty()));
    assert!(roots.iter().all(is_expected_root), "{roots:?}");

    let metrics = collector.metrics();
    let metric_names: BTreeSet<&str> = metrics.iter().map(|metric| metric.name.as_str()).collect();
    let expected = [
        "rpc.server.call.duration",
        "temporary_pin.calls.running",
        "temporary_pin.certificate.expiry",
        "temporary_pin.handshakes",
        "temporary_pin.pins",
        "temporary_pin.verifications",
        "temporary_pin.redemptions",
        "temporary_pin.refusals",
        "temporary_pin.messages",
        "temporary_pin.dependency.failures",
        "temporary_pin.audit.waiting",
        "temporary_pin.audit.waiting.age",
    ];
    assert_eq!(metric_names, BTreeSet::from(expected));

    let exported = format!("{:?} {metrics:?}", collector.resource_spans());
    for secret in secrets {
        assert!(!exported.contains(&secret), "{secret}");
    }
}

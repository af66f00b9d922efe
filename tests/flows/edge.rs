//! The gRPC edge: callers and their roles, bodies that are not messages, unknown methods.

use std::time::Duration;

use reqwest::Client;
use serde_json::json;
use temporary_pin::proto::temporarypin::v1::verify_identity_request::Evidence;
use temporary_pin::proto::temporarypin::v1::{
    Answer as QuestionAnswer, QuestionAnswers, Reason, RedeemTemporaryPinRequest, WebLogin,
};
use test_support::acts::{CLERK, QUESTIONS, right_answer};
use test_support::calls::{Refusal, answer, request_from, uuid};
use test_support::world::World;
use tonic::{Code, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

pub(crate) const TEMPORARY_PIN_SERVICE: &str = "temporarypin.v1.TemporaryPinService";
const REDEMPTION_SERVICE: &str = "temporarypin.v1.RedemptionService";

/// The `grpc-timeout` of a call. Longer than `server.default_deadline`.
const DEFAULT_TIMEOUT: &str = "20S";

/// How long the test waits for an answer.
const CLIENT_TIMEOUT: Duration = Duration::from_secs(20);

/// `server.message_limit`, in bytes.
const MESSAGE_LIMIT: usize = 64 * 1024;

/// A message with a text of this length is below `server.message_limit`.
const BELOW_LIMIT: usize = 60_000;

/// Far above `server.message_limit`, but below tonic's own limit of 4 MiB.
const NEAR_TONIC_LIMIT: usize = 4_000_000;

/// A call whose body is raw bytes.
pub(crate) struct RawCall<'a> {
    pub(crate) path: &'a str,
    pub(crate) caller: Option<&'a str>,
    pub(crate) body: Vec<u8>,
}

impl RawCall<'_> {
    /// Sends the call. It must be refused.
    pub(crate) async fn expect_refusal(self, world: &World) -> Refusal {
        self.expect_refusal_within(world, DEFAULT_TIMEOUT).await
    }

    /// Sends the call with a deadline in the form of `grpc-timeout`. It must be refused.
    pub(crate) async fn expect_refusal_within(self, world: &World, timeout: &str) -> Refusal {
        let client = Client::builder().http2_prior_knowledge().timeout(CLIENT_TIMEOUT).build().unwrap();
        let mut request = client
            .post(format!("{}/{}", world.sandbox.grpc_url, self.path))
            .header("content-type", "application/grpc")
            .header("te", "trailers")
            .header("accept-language", "en")
            .header("grpc-timeout", timeout)
            .body(self.body);
        if let Some(caller) = self.caller {
            request = request.header("x-sandbox-caller", caller);
        }
        let response = request.send().await.unwrap();
        let status = Status::from_header_map(response.headers());
        Refusal::read(&status.unwrap_or_else(|| panic!("no status: {:?}", response.headers())))
    }
}

/// A message with its gRPC prefix: a flag (not compressed) and the length.
pub(crate) fn frame_message(message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).unwrap().to_be_bytes();
    [&[0][..], &length, message].concat()
}

#[tokio::test]
async fn callers_must_be_known() {
    let world = World::start().await;
    for caller in [None, Some("unknown-caller"), Some("")] {
        for method in ["CheckEligibility", "VerifyIdentity", "IssueTemporaryPin"] {
            let path = &format!("{TEMPORARY_PIN_SERVICE}/{method}");
            let refusal = RawCall { path, caller, body: frame_message(&[]) }.expect_refusal(&world).await;
            refusal.assert(Code::Unauthenticated, Reason::CallerUnknown);
        }
        let path = &format!("{REDEMPTION_SERVICE}/RedeemTemporaryPin");
        let refusal = RawCall { path, caller, body: frame_message(&[]) }.expect_refusal(&world).await;
        refusal.assert(Code::Unauthenticated, Reason::CallerUnknown);
    }
}

#[tokio::test]
async fn callers_may_call_only_the_services_of_their_role() {
    let world = World::start().await;
    let person = world.new_person().await;
    for caller in ["redeemer", "operator"] {
        let refusal = world.check_eligibility(caller, person.reference()).await.unwrap_err();
        refusal.assert(Code::PermissionDenied, Reason::CallerNotAllowed);
        let refusal = world.issue(caller, "x").await.unwrap_err();
        refusal.assert(Code::PermissionDenied, Reason::CallerNotAllowed);
    }
    for caller in ["web", "phone", "counter", "operator"] {
        let request = RedeemTemporaryPinRequest {
            request_id: uuid().to_string(),
            person: Some(person.reference()),
            pin: "12345678".into(),
        };
        let refusal =
            answer(world.redemption_service().redeem_temporary_pin(request_from(caller, request)).await).unwrap_err();
        refusal.assert(Code::PermissionDenied, Reason::CallerNotAllowed);
    }
}

/// The caller's role decides the channel. No field of the request does.
#[tokio::test]
async fn evidence_must_be_of_the_callers_channel() {
    let world = World::start().await;
    let person = world.new_person().await;
    let nonce = uuid().to_string();
    let login = WebLogin { id_token: world.id_token(&person, &nonce, &json!({})).await, nonce, ..WebLogin::default() };
    let phone_evidence = world.phone_evidence(person.reference(), person.document(), CLERK).await;
    let counter_evidence = Evidence::CounterIdentification(world.counter_evidence(&person, QUESTIONS).await);
    let response = world.begin_questions(&person).await;
    let answers = Evidence::QuestionAnswers(world.answers(&response, |_, _| "x".into()).await);
    for (caller, evidence) in [
        ("phone", Evidence::WebLogin(login.clone())),
        ("counter", Evidence::WebLogin(login)),
        ("web", phone_evidence.clone()),
        ("counter", phone_evidence),
        ("web", counter_evidence.clone()),
        ("phone", counter_evidence),
        ("web", answers.clone()),
    ] {
        let refusal = world.verify(caller, evidence).await.unwrap_err();
        refusal.assert(Code::PermissionDenied, Reason::CallerNotAllowed);
    }
    // Answers are evidence for phone and counter, but this verification belongs to the caller "phone".
    let refusal = world.verify("counter", answers).await.unwrap_err();
    refusal.assert_precondition(Reason::VerificationUnknown);
}

#[tokio::test]
async fn a_body_that_is_not_a_message_is_malformed() {
    let world = World::start().await;
    for (service, method, caller) in [
        (TEMPORARY_PIN_SERVICE, "CheckEligibility", "web"),
        (TEMPORARY_PIN_SERVICE, "VerifyIdentity", "phone"),
        (TEMPORARY_PIN_SERVICE, "IssueTemporaryPin", "counter"),
        (REDEMPTION_SERVICE, "RedeemTemporaryPin", "redeemer"),
    ] {
        let path = &format!("{service}/{method}");
        // An invalid tag, a field that is cut off, a text that is not UTF-8, and a body without the gRPC prefix.
        for body in [
            frame_message(b"\xff\xff\xff\xff\xff"),
            frame_message(b"\x0a\x7fx"),
            frame_message(b"\x0a\x02\xc3\x28"),
            vec![],
        ] {
            let refusal = RawCall { path, caller: Some(caller), body }.expect_refusal(&world).await;
            refusal.assert(Code::InvalidArgument, Reason::InvalidField);
        }
    }
}

#[tokio::test]
async fn a_message_above_the_limit_is_refused_as_too_large() {
    let world = World::start().await;
    for (size, code, reason) in [
        (BELOW_LIMIT, Code::InvalidArgument, Reason::InvalidField),
        (MESSAGE_LIMIT, Code::ResourceExhausted, Reason::MessageTooLarge),
        (NEAR_TONIC_LIMIT, Code::ResourceExhausted, Reason::MessageTooLarge),
    ] {
        let login = WebLogin { id_token: "x".repeat(size), nonce: uuid().to_string(), ..WebLogin::default() };
        let refusal = world.verify("web", Evidence::WebLogin(login)).await.unwrap_err();
        refusal.assert(code, reason);
        assert!(refusal.details.retry_info().is_none(), "waiting does not help");
    }
}

/// The refusals of the health service come from tonic and have no details.
#[tokio::test]
async fn the_health_service_refuses_large_messages_too() {
    let world = World::start().await;
    let check = async |size| {
        let request = HealthCheckRequest { service: "x".repeat(size) };
        HealthClient::new(world.channel.clone()).check(request).await.unwrap_err().code()
    };
    // Below the limit the message is read: there is no such service.
    assert_eq!(check(BELOW_LIMIT).await, Code::NotFound);
    assert_eq!(check(MESSAGE_LIMIT).await, Code::OutOfRange);
}

/// A violation for each field would make the answer larger than a header may be.
#[tokio::test]
async fn a_request_with_very_many_malformed_fields_gets_an_answer() {
    let world = World::start().await;
    let answers = vec![QuestionAnswer::default(); 20_000];
    let evidence = QuestionAnswers { verification_id: "x".into(), answers, agent_token: "x".into() };
    let refusal = world.verify("phone", Evidence::QuestionAnswers(evidence)).await.unwrap_err();
    refusal.assert(Code::InvalidArgument, Reason::InvalidField);
    assert_eq!(refusal.fields(), ["question_answers.answers"]);
}

#[tokio::test]
async fn unknown_services_and_methods_are_refused_with_a_reason() {
    let world = World::start().await;
    let path = &format!("{TEMPORARY_PIN_SERVICE}/RevealTemporaryPin");
    let refusal = RawCall { path, caller: Some("web"), body: frame_message(&[]) }.expect_refusal(&world).await;
    refusal.assert(Code::Unimplemented, Reason::MethodUnknown);
    // Authorization comes first: no role allows an unknown service.
    let path = "temporarypin.v1.UnknownService/RevealTemporaryPin";
    let refusal = RawCall { path, caller: Some("web"), body: frame_message(&[]) }.expect_refusal(&world).await;
    refusal.assert(Code::PermissionDenied, Reason::CallerNotAllowed);
}

#[tokio::test]
async fn agents_may_not_serve_themselves() {
    let world = World::start().await;
    let clara = world.person("clara-clerk").await;
    let own_call = world.phone_evidence(clara.reference(), clara.document(), "clara-clerk").await;
    let mut own_visit = world.counter_evidence(&clara, QUESTIONS).await;
    own_visit.agent_token = world.agent_token("clara-clerk").await;
    let response = world.begin_questions(&clara).await;
    let mut own_answers = world.answers(&response, |_, question| right_answer(&clara, question)).await;
    own_answers.agent_token = world.agent_token("clara-clerk").await;

    for (caller, evidence) in [
        ("phone", own_call),
        ("counter", Evidence::CounterIdentification(own_visit)),
        ("phone", Evidence::QuestionAnswers(own_answers)),
    ] {
        let refusal = world.verify(caller, evidence).await.unwrap_err();
        refusal.assert(Code::PermissionDenied, Reason::AgentNotAccepted);
    }
    // Another agent can verify her.
    world.identify(&clara).await;
}

//! Malformed requests: the answer names every malformed field, by its path in the contract.

use prost_reflect::{DescriptorPool, Kind};
use temporary_pin::proto::DESCRIPTOR_SET;
use temporary_pin::proto::temporarypin::v1 as pb;
use temporary_pin::proto::temporarypin::v1::counter_identification::Confirmation;
use temporary_pin::proto::temporarypin::v1::person_reference::Reference;
use temporary_pin::proto::temporarypin::v1::verify_identity_request::Evidence;
use temporary_pin::proto::temporarypin::v1::{
    Answer as QuestionAnswer, CheckEligibilityRequest, CounterIdentification, Document, IssueTemporaryPinRequest,
    PersonReference, PhoneIdentification, QuestionAnswers, Reason, RedeemTemporaryPinRequest, SupportingDocument,
    VerifyIdentityRequest, WebLogin, Witness,
};
use test_support::acts::{CLERK, QUESTIONS, right_answer};
use test_support::calls::{Answer, answer, request_from, uuid};
use test_support::world::World;
use tonic::Code;

/// A value that the enum of languages does not have.
const UNKNOWN_LANGUAGE: i32 = 99;

fn person(reference: Reference) -> Option<PersonReference> {
    Some(PersonReference { reference: Some(reference) })
}

fn document(kind: i32, issuer: &str, number: &str) -> Option<Document> {
    Some(Document { kind, issuer: issuer.into(), number: number.into(), ..Document::default() })
}

/// Asserts that the request is refused because of exactly these fields.
fn assert_malformed<T>(answer: Answer<T>, request: &str, expected: &[&str]) {
    let Err(refusal) = answer else { panic!("accepted, not refused for {expected:?}") };
    refusal.assert(Code::InvalidArgument, Reason::InvalidField);
    assert_eq!(refusal.fields(), expected);
    for field in expected {
        assert_in_contract(request, field);
    }
    for violation in &refusal.details.bad_request().unwrap().field_violations {
        assert!(violation.description.len() > 5, "{violation:?}");
    }
}

/// Asserts that the path names a field or a oneof of the request.
fn assert_in_contract(request: &str, path: &str) {
    let pool = DescriptorPool::decode(DESCRIPTOR_SET).unwrap();
    let mut message = pool.get_message_by_name(&format!("temporarypin.v1.{request}"));
    for part in path.split('.') {
        let parent = message.unwrap_or_else(|| panic!("{path}: {part} is in no message"));
        let (name, index) = part.split_once('[').unwrap_or((part, ""));
        message = match parent.get_field_by_name(name) {
            Some(field) => {
                assert!(index.is_empty() || field.is_list(), "{path}");
                if let Kind::Message(message) = field.kind() { Some(message) } else { None }
            }
            None => {
                assert!(parent.oneofs().any(|oneof| oneof.name() == name), "{path}: no {part} in {}", parent.name());
                None
            }
        };
    }
}

#[tokio::test]
async fn check_eligibility() {
    let world = World::start().await;
    for (person, field) in [
        (None, "person"),
        (Some(PersonReference { reference: None }), "person"),
        (person(Reference::CprNumber("123456".into())), "person.cpr_number"),
        // 31 February.
        (person(Reference::CprNumber("3102581234".into())), "person.cpr_number"),
        (person(Reference::MitidUuid("6f1c2e0a".into())), "person.mitid_uuid"),
    ] {
        let request = request_from("web", CheckEligibilityRequest { person });
        let answer = answer(world.temporary_pin_service().check_eligibility(request).await);
        assert_malformed(answer, "CheckEligibilityRequest", &[field]);
    }
}

async fn verify(world: &World, caller: &str, evidence: Option<Evidence>, expected: &[&str]) {
    let request = VerifyIdentityRequest { evidence, language: UNKNOWN_LANGUAGE };
    let answer = answer(world.temporary_pin_service().verify_identity(request_from(caller, request)).await);
    let expected: Vec<&str> = expected.iter().copied().chain(["language"]).collect();
    let mut sorted = expected;
    sorted.sort_unstable();
    assert_malformed(answer, "VerifyIdentityRequest", &sorted);
}

#[tokio::test]
async fn verify_identity_by_login() {
    let world = World::start().await;
    verify(&world, "web", None, &["evidence"]).await;
    for (id_token, nonce) in [("", ""), (&*"x".repeat(8193), "1234567"), (&*"x".repeat(8193), &*"n".repeat(256))] {
        let login = WebLogin { id_token: id_token.into(), nonce: nonce.into(), ..WebLogin::default() };
        verify(&world, "web", Some(Evidence::WebLogin(login)), &["web_login.id_token", "web_login.nonce"]).await;
    }
}

#[tokio::test]
async fn verify_identity_by_phone() {
    let world = World::start().await;
    let nothing = Evidence::PhoneIdentification(PhoneIdentification::default());
    let fields =
        ["agent_token", "case_reference", "document", "person"].map(|field| format!("phone_identification.{field}"));
    verify(&world, "phone", Some(nothing), &fields.each_ref().map(String::as_str)).await;

    let all_wrong = Evidence::PhoneIdentification(PhoneIdentification {
        person: person(Reference::CprNumber("0101580000x".into())),
        document: document(0, "Denmark", "12#"),
        agent_token: "x".repeat(8193),
        case_reference: "010158-1234".into(),
    });
    let fields =
        ["agent_token", "case_reference", "document.issuer", "document.kind", "document.number", "person.cpr_number"]
            .map(|field| format!("phone_identification.{field}"));
    verify(&world, "phone", Some(all_wrong), &fields.each_ref().map(String::as_str)).await;

    // A kind that is accepted at the counter only.
    let person = world.new_person().await;
    let card = world.phone_evidence(person.reference(), document(3, "DNK", "1").unwrap(), CLERK).await;
    let fields = ["phone_identification.document.kind", "phone_identification.document.number"];
    verify(&world, "phone", Some(card), &fields).await;
}

#[tokio::test]
async fn verify_identity_at_the_counter() {
    let world = World::start().await;
    let nothing = Evidence::CounterIdentification(CounterIdentification::default());
    let fields = ["agent_token", "appointment_reference", "confirmation", "document", "office_id", "person"]
        .map(|field| format!("counter_identification.{field}"));
    verify(&world, "counter", Some(nothing), &fields.each_ref().map(String::as_str)).await;

    let all_wrong = Evidence::CounterIdentification(CounterIdentification {
        person: person(Reference::MitidUuid("x".into())),
        document: document(1, "DNK", "12345678"),
        mrz_lines: vec!["P<".into()],
        supporting_document: Some(SupportingDocument { kind: 0 }),
        confirmation: Some(Confirmation::Witness(Witness {
            person: None,
            document: document(2, "DNK", "A2345678"),
            nonce: "short".into(),
            ..Witness::default()
        })),
        agent_token: String::new(),
        office_id: "o".repeat(65),
        appointment_reference: "today, at noon".into(),
    });
    let fields = [
        "agent_token",
        "appointment_reference",
        "document.number",
        "mrz_lines",
        "office_id",
        "person.mitid_uuid",
        "supporting_document.kind",
        "witness.document.number",
        "witness.login_token",
        "witness.nonce",
        "witness.person",
    ]
    .map(|field| format!("counter_identification.{field}"));
    verify(&world, "counter", Some(all_wrong), &fields.each_ref().map(String::as_str)).await;
}

#[tokio::test]
async fn verify_identity_by_answers() {
    let world = World::start().await;
    let nothing = Evidence::QuestionAnswers(QuestionAnswers::default());
    let fields = ["agent_token", "answers", "verification_id"].map(|field| format!("question_answers.{field}"));
    verify(&world, "phone", Some(nothing), &fields.each_ref().map(String::as_str)).await;

    let answer_to = |question_id: &str, text: String| QuestionAnswer { question_id: question_id.into(), text };
    let all_wrong = Evidence::QuestionAnswers(QuestionAnswers {
        verification_id: "v".repeat(513),
        answers: vec![
            answer_to("shoe_size", "44".into()),
            answer_to("birthplace", String::new()),
            answer_to("", "x".repeat(101)),
        ],
        agent_token: "token".into(),
    });
    let fields =
        ["answers[0].question_id", "answers[1].text", "answers[2].question_id", "answers[2].text", "verification_id"]
            .map(|field| format!("question_answers.{field}"));
    verify(&world, "counter", Some(all_wrong), &fields.each_ref().map(String::as_str)).await;
}

#[tokio::test]
async fn r16_each_question_must_have_exactly_one_answer() {
    let world = World::start().await;
    let person = world.new_person().await;
    let response = world.begin_questions(&person).await;
    let complete = world.answers(&response, |_, question| right_answer(&person, question)).await;
    let (mut too_few, mut twice, mut other) = (complete.clone(), complete.clone(), complete.clone());
    too_few.answers.pop();
    twice.answers[2] = twice.answers[0].clone();
    let ids = ["birthplace", "wedding_year", "moved_in_year", "previous_road"];
    let not_asked = ids.into_iter().find(|id| complete.answers.iter().all(|answer| answer.question_id != *id)).unwrap();
    other.answers[2].question_id = not_asked.into();

    for answers in [too_few, twice, other] {
        let answer = world.verify("phone", Evidence::QuestionAnswers(answers)).await;
        assert_malformed(answer, "VerifyIdentityRequest", &["question_answers.answers"]);
    }

    world.verify("phone", Evidence::QuestionAnswers(complete)).await.unwrap();
}

#[tokio::test]
async fn issue_temporary_pin() {
    let world = World::start().await;
    for (request_id, verification_id) in [("", String::new()), ("6f1c2e0a4f574c4e9a0e0d9a5b0f7c11", "v".repeat(513))] {
        let request =
            IssueTemporaryPinRequest { request_id: request_id.into(), verification_id, language: UNKNOWN_LANGUAGE };
        let answer = world.send_order("phone", request).await;
        assert_malformed(answer, "IssueTemporaryPinRequest", &["language", "request_id", "verification_id"]);
    }
}

#[tokio::test]
async fn redeem_temporary_pin() {
    let world = World::start().await;
    for pin in ["", "1234567", "123456789", "1234567a", "+1234567"] {
        let request = RedeemTemporaryPinRequest { request_id: "1".into(), person: None, pin: pin.into() };
        let answer = answer(world.redemption_service().redeem_temporary_pin(request_from("redeemer", request)).await);
        assert_malformed(answer, "RedeemTemporaryPinRequest", &["person", "pin", "request_id"]);
    }
}

/// Every request has a person and a reason, and both can be malformed.
#[tokio::test]
async fn operator_requests() {
    let world = World::start().await;
    let mut service = world.operator_service();
    macro_rules! refuse {
        ($call:ident($request:ident { $($field:ident: $value:expr),* }), $($malformed:literal),+) => {
            let request = pb::$request { $($field: $value,)* ..Default::default() };
            let answer = answer(service.$call(request_from("operator", request)).await);
            assert_malformed(answer, stringify!($request), &[$($malformed),+]);
        };
    }
    let malformed_person = || person(Reference::CprNumber("123456".into()));
    refuse!(list_pin_requests(ListPinRequestsRequest { person: malformed_person() }), "person.cpr_number", "reason");
    refuse!(list_access_requests(ListAccessRequestsRequest {}), "person", "reason");
    refuse!(list_limits(ListLimitsRequest {}), "person", "reason");
    refuse!(get_person_block(GetPersonBlockRequest {}), "person", "reason");
    refuse!(list_audit_events(ListAuditEventsRequest { page_size: 51 }), "page_size", "person", "reason");
    refuse!(list_audit_events(ListAuditEventsRequest { page_size: -1 }), "page_size", "person", "reason");
    refuse!(revoke_temporary_pin(RevokeTemporaryPinRequest {}), "person", "reason");
    refuse!(cancel_access_request(CancelAccessRequestRequest {}), "person", "reason");
    refuse!(block_person(BlockPersonRequest {}), "person", "reason");
    refuse!(unblock_person(UnblockPersonRequest {}), "person", "reason");
    refuse!(reset_limit(ResetLimitRequest {}), "limit", "person", "reason");
    refuse!(reset_limit(ResetLimitRequest { limit: 99 }), "limit", "person", "reason");
    let pin_request_id = || "1".to_owned();
    refuse!(get_pin_request(GetPinRequestRequest { pin_request_id: pin_request_id() }), "pin_request_id", "reason");
    for reason in ["for 010180-1234", "ring +45 20 12 34 56", "PIN 1234 5678", "to\nlines", &*"x".repeat(201)] {
        refuse!(block_person(BlockPersonRequest { reason: reason.to_owned() }), "person", "reason");
    }
}

/// The fields are well-formed, but the agent's token is not acceptable.
#[tokio::test]
async fn r22_an_agent_proves_who_they_are() {
    let world = World::start().await;
    let person = world.new_person().await;
    let id_token = world.id_token(&person, &uuid().to_string(), &serde_json::json!({})).await;
    let body = serde_json::json!({ "agent": "support-1", "assurance": "Low" });
    let low = world.sandbox.post("/agent-login", body).await["agent_token"].as_str().unwrap().to_owned();
    for agent_token in ["not.a.token".to_owned(), id_token, low] {
        let mut visit = world.counter_evidence(&person, QUESTIONS).await;
        visit.agent_token = agent_token;
        let refusal = world.visit_counter(visit).await.unwrap_err();
        refusal.assert(Code::PermissionDenied, Reason::AgentNotAccepted);
    }
}

//! The service says of everybody in the cast what the cast expects, which was written down without asking it.

use rstest::rstest;
use serde_json::{Value, json};
use temporary_pin::proto::temporarypin::v1::counter_identification::Confirmation;
use temporary_pin::proto::temporarypin::v1::document::Kind;
use temporary_pin::proto::temporarypin::v1::person_reference::Reference;
use temporary_pin::proto::temporarypin::v1::temporary_pin_service_client::TemporaryPinServiceClient;
use temporary_pin::proto::temporarypin::v1::verify_identity_request::Evidence;
use temporary_pin::proto::temporarypin::v1::{
    CheckEligibilityRequest, CounterIdentification, Document, PersonReference, PhoneIdentification, Questions, Reason,
    SupportingDocument, VerifyIdentityRequest, VerifyIdentityResponse, WebLogin, Witness,
};
use temporary_pin::proto::temporarypin::v1::{supporting_document, verify_identity_response};
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Status};
use tonic_types::StatusExt as _;

use crate::running::Sandbox;

const CHANNELS: [&str; 3] = ["web", "phone", "counter"];

/// A request as one of the sandbox's callers.
fn as_caller<T>(caller: &'static str, message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.metadata_mut().insert("x-sandbox-caller", caller.parse().unwrap());
    request
}

fn reference(person: &Value) -> PersonReference {
    let reference = match (person["cpr_number"].as_str(), person["mitid_uuid"].as_str()) {
        (Some(number), _) => Reference::CprNumber(number.to_owned()),
        (None, uuid) => Reference::MitidUuid(uuid.unwrap().to_owned()),
    };
    PersonReference { reference: Some(reference) }
}

fn document(person: &Value) -> Option<Document> {
    let document = person["documents"].get(0)?;
    let text = |field: &str| document[field].as_str().unwrap();
    let kind = Kind::from_str_name(text("kind")).unwrap().into();
    Some(Document { kind, issuer: text("issuer").to_owned(), number: text("number").to_owned() })
}

fn service(sandbox: &Sandbox) -> TemporaryPinServiceClient<Channel> {
    TemporaryPinServiceClient::new(Endpoint::from_shared(sandbox.grpc_url.clone()).unwrap().connect_lazy())
}

#[tokio::test(flavor = "multi_thread")]
async fn check_eligibility_says_what_is_expected() {
    let sandbox = Sandbox::start(&["--people", "3"]);
    let mut service = service(&sandbox);
    for person in sandbox.get("/people").await.as_array().unwrap() {
        for (index, caller) in CHANNELS.into_iter().enumerate() {
            let request = CheckEligibilityRequest { person: Some(reference(person)) };
            let answer = service.check_eligibility(as_caller(caller, request)).await.unwrap().into_inner();
            let own = &answer.channels[index];
            let reasons: Vec<_> = own.reasons().map(|reason| reason.as_str_name()).collect();
            let mut said = json!({ "status": own.status().as_str_name(), "reasons": reasons });
            if let Some(time) = own.next_attempt_time {
                let time = chrono::DateTime::from_timestamp(time.seconds, time.nanos.try_into().unwrap()).unwrap();
                said["next_attempt_time"] = json!(time);
            }
            assert_eq!(said, person["expected"][caller], "{} as {caller}", person["id"]);
            for (channel, expected) in answer.channels.iter().zip(CHANNELS) {
                let status = channel.status().as_str_name();
                assert_eq!(status, person["expected"][expected]["status"], "{}: {expected}", person["id"]);
            }
        }
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn verify_identity_says_what_is_expected(
    #[values("web", "phone", "counter", "counter_with_supporting_document", "counter_with_witness", "as_witness")]
    situation: &'static str,
) {
    // A helper for each, so that no limit on persons, agents or witnesses is reached.
    let sandbox = Sandbox::start(&["--people", "100"]);
    let mut service = service(&sandbox);
    let people = sandbox.get("/people").await;
    let people = people.as_array().unwrap();
    let (cast, helpers) = people.split_at(people.iter().position(|person| person["id"] == "person-1").unwrap());
    let mut asked = 0;
    for (person, helper) in cast.iter().zip(helpers) {
        let Some(expected) = person["expected_verification"].get(situation) else { continue };
        let evidence = match situation {
            "web" => web_login(&sandbox, person).await,
            "phone" => phone(&sandbox, person, helper).await,
            "counter_with_witness" => counter(&sandbox, person, helper, Some(helper), None).await,
            "as_witness" => counter(&sandbox, helper, helper, Some(person), None).await,
            "counter_with_supporting_document" => {
                let supporting = person["supporting_document"].as_str().unwrap_or("KIND_HEALTH_CARD");
                counter(&sandbox, person, helper, None, Some(supporting)).await
            }
            _ => counter(&sandbox, person, helper, None, None).await,
        };
        let caller = if ["web", "phone"].contains(&situation) { situation } else { "counter" };
        let request = VerifyIdentityRequest { evidence: Some(evidence), language: 0 };
        let answer = service.verify_identity(as_caller(caller, request)).await;
        assert_eq!(&said(answer.map(tonic::Response::into_inner)), expected, "{}", person["id"]);
        asked += 1;
    }
    assert!(asked > 2, "the cast shows it");
}

async fn web_login(sandbox: &Sandbox, person: &Value) -> Evidence {
    let nonce = format!("nonce of {}", person["id"]);
    let body = json!({ "person": person["id"], "nonce": nonce });
    let id_token = sandbox.post("/login", body).await["id_token"].as_str().unwrap().to_owned();
    Evidence::WebLogin(WebLogin { id_token, nonce })
}

/// An agent of their own for everybody.
async fn agent_token(sandbox: &Sandbox, helper: &Value) -> String {
    let agent = format!("clerk-{}", helper["id"].as_str().unwrap());
    sandbox.post("/agent-login", json!({ "agent": agent })).await["agent_token"].as_str().unwrap().to_owned()
}

async fn phone(sandbox: &Sandbox, person: &Value, helper: &Value) -> Evidence {
    Evidence::PhoneIdentification(PhoneIdentification {
        person: Some(reference(person)),
        document: document(person),
        agent_token: agent_token(sandbox, helper).await,
        case_reference: "CASE-1".to_owned(),
    })
}

async fn counter(
    sandbox: &Sandbox,
    person: &Value,
    helper: &Value,
    witness: Option<&Value>,
    supporting_document: Option<&str>,
) -> Evidence {
    Evidence::CounterIdentification(CounterIdentification {
        person: Some(reference(person)),
        document: document(person),
        mrz_lines: serde_json::from_value(person["documents"][0]["mrz_lines"].clone()).unwrap_or_default(),
        supporting_document: supporting_document
            .map(|kind| SupportingDocument { kind: supporting_document::Kind::from_str_name(kind).unwrap().into() }),
        confirmation: Some(match witness {
            None => Confirmation::Questions(Questions {}),
            Some(witness) => Confirmation::Witness(Witness {
                person: Some(reference(witness)),
                // A witness without a document shows somebody else's.
                document: document(witness).or_else(|| document(person)),
            }),
        }),
        agent_token: agent_token(sandbox, helper).await,
        office_id: "OFFICE-1".to_owned(),
        appointment_reference: "VISIT-1".to_owned(),
    })
}

/// An answer or error in the words of `GET /people`.
fn said(answer: Result<VerifyIdentityResponse, Status>) -> Value {
    match answer {
        Ok(answer) => {
            let state = verify_identity_response::State::try_from(answer.state).unwrap();
            let reasons: Vec<_> = answer.reasons().map(|reason: Reason| reason.as_str_name()).collect();
            json!({ "state": state.as_str_name(), "reasons": reasons })
        }
        Err(status) => {
            let code = match status.code() {
                Code::FailedPrecondition => "FAILED_PRECONDITION",
                Code::InvalidArgument => "INVALID_ARGUMENT",
                other => panic!("{other}: {}", status.message()),
            };
            let reason = status.get_details_error_info().unwrap().reason;
            json!({ "code": code, "reasons": [format!("REASON_{reason}")] })
        }
    }
}

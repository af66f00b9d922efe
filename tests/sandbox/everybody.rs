//! The service says of everybody in the cast what the cast expects, which was written down without asking it.

use serde_json::{Value, json};
use temporary_pin::proto::temporarypin::v1::counter_identification::Confirmation;
use temporary_pin::proto::temporarypin::v1::document::Kind;
use temporary_pin::proto::temporarypin::v1::person_reference::Reference;
use temporary_pin::proto::temporarypin::v1::verify_identity_request::Evidence;
use temporary_pin::proto::temporarypin::v1::{
    CheckEligibilityRequest, CounterIdentification, Document, PersonReference, PhoneIdentification, Questions, Reason,
    SupportingDocument, VerifyIdentityRequest, VerifyIdentityResponse, WebLogin, Witness,
};
use temporary_pin::proto::temporarypin::v1::{supporting_document, verify_identity_response};
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

#[tokio::test]
async fn check_eligibility_says_what_is_expected() {
    let sandbox = Sandbox::start(&["--people", "3"]);
    let mut service = sandbox.service();
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

#[tokio::test]
async fn verify_identity_says_what_is_expected() {
    let sandbox = Sandbox::start(&[]);
    let mut service = sandbox.service();
    let people = sandbox.get("/people").await;
    let find = |id: &str| people.as_array().unwrap().iter().find(|person| person["id"] == id).unwrap();
    for (turn, person) in people.as_array().unwrap().iter().enumerate() {
        for (situation, expected) in person["expected_verification"].as_object().unwrap() {
            // Nobody answers often enough for a limit on agents or witnesses to count.
            let mut login = async |body: Value| {
                sandbox.post("/agent-login", body).await["agent_token"].as_str().unwrap().to_owned()
            };
            let (witness, visitor) = match situation.as_str() {
                "counter_with_witness" => (Some(find(["witness", "witness-2"][turn % 2])), person),
                "as_witness" => (Some(person), find("no-data")),
                _ => (None, person),
            };
            let evidence = match situation.as_str() {
                "web" => {
                    let nonce = format!("nonce-{turn}");
                    let body = json!({ "person": person["id"], "nonce": nonce });
                    let id_token = sandbox.post("/login", body).await["id_token"].as_str().unwrap().to_owned();
                    Evidence::WebLogin(WebLogin { id_token, nonce })
                }
                "phone" => Evidence::PhoneIdentification(PhoneIdentification {
                    person: Some(reference(person)),
                    document: document(person),
                    agent_token: login(json!({ "agent": format!("support-{turn}") })).await,
                    case_reference: "CASE-1".to_owned(),
                }),
                _ => Evidence::CounterIdentification(CounterIdentification {
                    person: Some(reference(visitor)),
                    document: document(visitor).or_else(|| document(find("anna"))),
                    mrz_lines: serde_json::from_value(visitor["documents"][0]["mrz_lines"].clone()).unwrap_or_default(),
                    supporting_document: (situation == "counter_with_supporting_document").then(|| {
                        let kind = person["supporting_document"].as_str().unwrap_or("KIND_HEALTH_CARD");
                        SupportingDocument { kind: supporting_document::Kind::from_str_name(kind).unwrap().into() }
                    }),
                    confirmation: Some(match witness {
                        Some(witness) => Confirmation::Witness(Witness {
                            person: Some(reference(witness)),
                            document: document(witness).or_else(|| document(find("anna"))),
                        }),
                        None => Confirmation::Questions(Questions {}),
                    }),
                    agent_token: login(json!({ "agent": format!("clerk-{turn}") })).await,
                    office_id: "OFFICE-1".to_owned(),
                    appointment_reference: "VISIT-1".to_owned(),
                }),
            };
            let caller = if ["web", "phone"].contains(&situation.as_str()) { situation } else { "counter" };
            let caller = CHANNELS.into_iter().find(|channel| *channel == caller).unwrap();
            let request = VerifyIdentityRequest { evidence: Some(evidence), language: 0 };
            let answer = service.verify_identity(as_caller(caller, request)).await;
            assert_eq!(&said(answer.map(tonic::Response::into_inner)), expected, "{}: {situation}", person["id"]);
        }
    }
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

//! The kinds of refusals, and the calls that cause them.

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use prost::Message;
use rand::RngExt as _;
use rand::seq::SliceRandom as _;
use serde_json::{Value, json};
use temporary_pin::proto::temporarypin::v1::person_reference::Reference;
use temporary_pin::proto::temporarypin::v1::redemption_service_client::RedemptionServiceClient;
use temporary_pin::proto::temporarypin::v1::temporary_pin_service_client::TemporaryPinServiceClient;
use temporary_pin::proto::temporarypin::v1::verify_identity_request::Evidence;
use temporary_pin::proto::temporarypin::v1::{
    Answer, Document, IssueTemporaryPinRequest, PersonReference, PhoneIdentification, QuestionAnswers,
    RedeemTemporaryPinRequest, VerifyIdentityRequest, VerifyIdentityResponse, document,
};
use temporary_pin::random;
use test_support::sandbox::Sandbox;
use tonic::metadata::{AsciiMetadataValue, KeyAndValueRef};
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Response, Status};

/// How many rounds one agent serves: its limits are 30 verifications and 20 PINs an hour.
const ROUNDS_OF_AN_AGENT: usize = 4;

/// Persons that a round needs.
const PERSONS_OF_A_ROUND: usize = 8;

/// Rounds before measuring, to open connections and fill caches.
pub(crate) const WARM_UP: usize = 5;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    UnknownPerson,
    ForeignDocument,
    UnknownDocument,
    WrongAnswers,
    WrongPin,
    NoPin,
    UnknownPersonsPin,
}

impl Kind {
    pub(crate) const VERIFY: [Self; 4] =
        [Self::UnknownPerson, Self::ForeignDocument, Self::UnknownDocument, Self::WrongAnswers];
    pub(crate) const REDEEM: [Self; 3] = [Self::WrongPin, Self::NoPin, Self::UnknownPersonsPin];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::UnknownPerson => "VerifyIdentity: unknown person",
            Self::ForeignDocument => "VerifyIdentity: another person's document",
            Self::UnknownDocument => "VerifyIdentity: unknown document",
            Self::WrongAnswers => "VerifyIdentity: wrong answers",
            Self::WrongPin => "RedeemTemporaryPin: wrong PIN",
            Self::NoPin => "RedeemTemporaryPin: no PIN",
            Self::UnknownPersonsPin => "RedeemTemporaryPin: unknown person",
        }
    }
}

/// A call as its caller sees it.
#[derive(Clone)]
pub(crate) struct Call {
    pub(crate) kind: Kind,
    pub(crate) time: Duration,
    /// Body, headers and trailers, without the date.
    answer: (Vec<u8>, Vec<String>),
}

/// Whether all refusals of a verification are the same to the byte, and all refusals of a PIN that was never ordered. The
/// contract gives a wrong PIN an answer of its own.
pub(crate) fn answers_are_alike(calls: &[Call]) -> bool {
    [&Kind::VERIFY[..], &[Kind::NoPin, Kind::UnknownPersonsPin]].iter().all(|kinds| {
        let mut of_these = calls.iter().filter(|call| kinds.contains(&call.kind));
        let first = of_these.next().unwrap();
        of_these.all(|call| call.answer == first.answer)
    })
}

/// A sandbox, and its persons that were not used yet.
pub(crate) struct World {
    sandbox: Sandbox,
    channel: Channel,
    people: Vec<Value>,
    cpr_numbers: HashSet<String>,
    next_person: AtomicUsize,
    next_nobody: AtomicUsize,
    next_agent: AtomicUsize,
}

impl World {
    /// Starts a sandbox with enough persons for `calls` calls of each kind.
    pub(crate) async fn open(calls: usize) -> Self {
        let wanted = (calls + WARM_UP) * PERSONS_OF_A_ROUND;
        let sandbox = Sandbox::start(&["--people", &wanted.to_string()]);
        let everybody: Vec<Value> = serde_json::from_value(sandbox.get("/people").await).unwrap();
        let cpr_numbers =
            everybody.iter().filter_map(|person| Some(person["cpr_number"].as_str()?.to_owned())).collect();
        let is_ordinary = |person: &Value| person["id"].as_str().unwrap().starts_with("person-");
        Self {
            channel: Endpoint::from_shared(sandbox.grpc_url.clone()).unwrap().connect_lazy(),
            sandbox,
            people: everybody.into_iter().filter(is_ordinary).collect(),
            cpr_numbers,
            next_person: AtomicUsize::new(0),
            next_nobody: AtomicUsize::new(0),
            next_agent: AtomicUsize::new(0),
        }
    }

    /// Stops the sandbox and waits until it has cleaned up.
    pub(crate) fn close(mut self) {
        self.sandbox.stop();
    }

    /// Makes one call of each kind, in random order.
    pub(crate) async fn round(&self) -> Vec<Call> {
        let agent = format!("agent-{}", self.next_agent.fetch_add(1, Ordering::Relaxed) / ROUNDS_OF_AN_AGENT);
        let answer = self.sandbox.post("/agent-login", json!({ "agent": agent })).await;
        let agent_token = answer["agent_token"].as_str().unwrap();
        let asked = self.begin_verification(self.new_person(), agent_token).await;
        let with_pin = self.new_person();
        self.order(with_pin, agent_token).await;

        let mut order = [&Kind::VERIFY[..], &Kind::REDEEM].concat();
        order.shuffle(&mut random::secure());
        let mut calls = Vec::new();
        for kind in order {
            let call = match kind {
                Kind::UnknownPerson => {
                    self.verify(
                        kind,
                        identification(self.unknown_person(), document_of(self.new_person()), agent_token),
                    )
                    .await
                }
                Kind::ForeignDocument => {
                    let document = document_of(self.new_person());
                    self.verify(kind, identification(reference(self.new_person()), document, agent_token)).await
                }
                Kind::UnknownDocument => {
                    let document = Document { number: "299999999".into(), ..document_of(self.new_person()) };
                    self.verify(kind, identification(reference(self.new_person()), document, agent_token)).await
                }
                Kind::WrongAnswers => self.verify(kind, wrong_answers(&asked, agent_token)).await,
                Kind::WrongPin => self.redeem(kind, reference(with_pin)).await,
                Kind::NoPin => self.redeem(kind, reference(self.new_person())).await,
                Kind::UnknownPersonsPin => self.redeem(kind, self.unknown_person()).await,
            };
            calls.push(call);
        }
        calls
    }

    fn new_person(&self) -> &Value {
        &self.people[self.next_person.fetch_add(1, Ordering::Relaxed)]
    }

    /// A CPR number that the register does not know.
    fn unknown_person(&self) -> PersonReference {
        loop {
            let next = self.next_nobody.fetch_add(1, Ordering::Relaxed);
            let number = format!("{:02}{:02}66-7{:03}", 1 + next % 28, 1 + next / 28 % 12, next / 336 % 1000);
            if !self.cpr_numbers.contains(&number) && !self.cpr_numbers.contains(&number.replace('-', "")) {
                return PersonReference { reference: Some(Reference::CprNumber(number)) };
            }
        }
    }

    /// Starts a verification with the person's own document. Returns its questions.
    async fn begin_verification(&self, person: &Value, agent_token: &str) -> VerifyIdentityResponse {
        let evidence = identification(reference(person), document_of(person), agent_token);
        let asked = self.temporary_pin().verify_identity(verification(evidence)).await.unwrap().into_inner();
        assert_eq!(asked.questions.len(), 3, "{asked:?}");
        asked
    }

    /// Issues a PIN to a person.
    async fn order(&self, person: &Value, agent_token: &str) {
        let asked = self.begin_verification(person, agent_token).await;
        let facts = &person["facts"];
        let truth = |kind: &str| facts[kind][0].as_str().unwrap().to_owned();
        let answers = asked.questions.iter().map(|question| Answer {
            question_id: question.question_id.clone(),
            text: truth(question.kind().as_str_name()),
        });
        let evidence = Evidence::QuestionAnswers(QuestionAnswers {
            verification_id: asked.verification_id.clone(),
            answers: answers.collect(),
            agent_token: agent_token.to_owned(),
        });
        self.temporary_pin().verify_identity(verification(evidence)).await.unwrap();
        let order =
            IssueTemporaryPinRequest { request_id: request_id(), verification_id: asked.verification_id, language: 0 };
        self.temporary_pin().issue_temporary_pin(request_of("phone", order)).await.unwrap();
    }

    async fn verify(&self, kind: Kind, evidence: Evidence) -> Call {
        let (mut client, request) = (self.temporary_pin(), verification(evidence));
        let begin = Instant::now();
        let answer = client.verify_identity(request).await;
        Call { kind, time: begin.elapsed(), answer: outward(answer) }
    }

    async fn redeem(&self, kind: Kind, person: PersonReference) -> Call {
        let request =
            RedeemTemporaryPinRequest { request_id: request_id(), person: Some(person), pin: "13572468".into() };
        let (mut client, request) =
            (RedemptionServiceClient::new(self.channel.clone()), request_of("redeemer", request));
        let begin = Instant::now();
        let answer = client.redeem_temporary_pin(request).await;
        Call { kind, time: begin.elapsed(), answer: outward(answer) }
    }

    fn temporary_pin(&self) -> TemporaryPinServiceClient<Channel> {
        TemporaryPinServiceClient::new(self.channel.clone())
    }
}

fn outward<T: Message>(answer: Result<Response<T>, Status>) -> (Vec<u8>, Vec<String>) {
    let answer = answer.unwrap();
    let header = |entry: KeyAndValueRef<'_>| match entry {
        KeyAndValueRef::Ascii(key, _) if key == "date" => None,
        entry => Some(format!("{entry:?}")),
    };
    (answer.get_ref().encode_to_vec(), answer.metadata().iter().filter_map(header).collect())
}

fn identification(person: PersonReference, document: Document, agent_token: &str) -> Evidence {
    Evidence::PhoneIdentification(PhoneIdentification {
        person: Some(person),
        document: Some(document),
        agent_token: agent_token.to_owned(),
        case_reference: "CASE-1".into(),
    })
}

fn wrong_answers(asked: &VerifyIdentityResponse, agent_token: &str) -> Evidence {
    let wrong = |id: &String| Answer { question_id: id.clone(), text: "Nonsens".into() };
    Evidence::QuestionAnswers(QuestionAnswers {
        verification_id: asked.verification_id.clone(),
        answers: asked.questions.iter().map(|question| wrong(&question.question_id)).collect(),
        agent_token: agent_token.to_owned(),
    })
}

fn verification(evidence: Evidence) -> Request<VerifyIdentityRequest> {
    request_of("phone", VerifyIdentityRequest { evidence: Some(evidence), language: 0 })
}

fn reference(person: &Value) -> PersonReference {
    PersonReference { reference: Some(Reference::CprNumber(person["cpr_number"].as_str().unwrap().to_owned())) }
}

fn document_of(person: &Value) -> Document {
    let json = &person["documents"][0];
    let text = |field: &str| json[field].as_str().unwrap();
    Document {
        kind: document::Kind::from_str_name(text("kind")).unwrap().into(),
        issuer: text("issuer").to_owned(),
        number: text("number").to_owned(),
        ..Document::default()
    }
}

fn request_id() -> String {
    uuid::Builder::from_random_bytes(random::secure().random()).into_uuid().to_string()
}

fn request_of<T>(caller: &str, message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.metadata_mut().insert("x-sandbox-caller", caller.parse::<AsciiMetadataValue>().unwrap());
    request
}

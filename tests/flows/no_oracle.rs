//! A rejection does not reveal its reason (R16, R18). `deploy/local/no-oracle` measures the latency.

use std::time::{Duration, Instant};

use prost::Message;
use temporary_pin::proto::temporarypin::v1::verify_identity_request::Evidence;
use temporary_pin::proto::temporarypin::v1::{
    PersonReference, Reason, RedeemTemporaryPinRequest, VerifyIdentityRequest, VerifyIdentityResponse,
};
use test_support::acts::{CLERK, QUESTIONS, WRONG_ANSWER, reasons};
use test_support::calls::{Refusal, request_from, uuid};
use test_support::person::{Person, unknown_document, unknown_person};
use test_support::world::World;
use tonic::metadata::{KeyAndValueRef, MetadataMap};
use tonic::{Response, Status};

/// `rules.verification.refusal_interval` and `rules.pin.refusal_interval`.
const REFUSAL_INTERVAL: Duration = Duration::from_millis(250);

/// Everything that a caller sees of an answer: body, headers and trailers, except the date.
#[derive(Debug, PartialEq)]
struct VisibleAnswer(Vec<u8>, Vec<String>);

impl VisibleAnswer {
    fn read<T: Message>(answer: &Response<T>) -> Self {
        Self(answer.get_ref().encode_to_vec(), headers(answer.metadata()))
    }
}

fn headers(metadata: &MetadataMap) -> Vec<String> {
    let header = |entry: KeyAndValueRef<'_>| match entry {
        KeyAndValueRef::Ascii(key, _) if key == "date" => None,
        entry => Some(format!("{entry:?}")),
    };
    metadata.iter().filter_map(header).collect()
}

/// Calls that return everything that the caller sees.
trait VisibleCalls {
    async fn verify_visibly(
        &self,
        caller: &str,
        evidence: Evidence,
    ) -> Result<Response<VerifyIdentityResponse>, Status>;
    async fn claim_identity(&self, person: PersonReference, document_owner: &Person) -> Evidence;
    async fn visit_of(&self, person: PersonReference, document_owner: &Person, mrz_lines: Vec<String>)
    -> VisibleAnswer;
    async fn try_pin(&self, person: PersonReference) -> VisibleAnswer;
}

impl VisibleCalls for World {
    async fn verify_visibly(
        &self,
        caller: &str,
        evidence: Evidence,
    ) -> Result<Response<VerifyIdentityResponse>, Status> {
        let request = VerifyIdentityRequest { evidence: Some(evidence), language: 0 };
        let begin = Instant::now();
        let answer = self.temporary_pin_service().verify_identity(request_from(caller, request)).await;
        assert!(begin.elapsed() >= REFUSAL_INTERVAL, "the response time is padded");
        answer
    }

    async fn claim_identity(&self, person: PersonReference, document_owner: &Person) -> Evidence {
        self.phone_evidence(person, document_owner.document(), CLERK).await
    }

    /// A rejected visit at the counter.
    async fn visit_of(
        &self,
        person: PersonReference,
        document_owner: &Person,
        mrz_lines: Vec<String>,
    ) -> VisibleAnswer {
        let mut visit = self.counter_evidence(document_owner, QUESTIONS).await;
        visit.person = Some(person);
        visit.mrz_lines = mrz_lines;
        VisibleAnswer::read(&self.verify_visibly("counter", Evidence::CounterIdentification(visit)).await.unwrap())
    }

    async fn try_pin(&self, person: PersonReference) -> VisibleAnswer {
        let request =
            RedeemTemporaryPinRequest { request_id: uuid().to_string(), person: Some(person), pin: "13572468".into() };
        let begin = Instant::now();
        let answer = self.redemption_service().redeem_temporary_pin(request_from("redeemer", request)).await.unwrap();
        assert!(begin.elapsed() >= REFUSAL_INTERVAL, "the response time is padded");
        VisibleAnswer::read(&answer)
    }
}

#[tokio::test]
async fn r16_on_the_phone_every_rejection_looks_the_same() {
    let world = World::start().await;
    let (person, other, stolen) =
        (world.new_person().await, world.new_person().await, world.person("stolen-passport").await);
    let reject = async |evidence| VisibleAnswer::read(&world.verify_visibly("phone", evidence).await.unwrap());

    let unknown_person = reject(world.claim_identity(unknown_person(), &other).await).await;
    let unknown_document = reject(world.phone_evidence(person.reference(), unknown_document(), CLERK).await).await;
    let foreign_document = reject(world.claim_identity(person.reference(), &other).await).await;
    let stolen_document = reject(world.claim_identity(stolen.reference(), &stolen).await).await;
    let response = world.begin_questions(&other).await;
    let answers = world.answers(&response, |_, _| WRONG_ANSWER.into()).await;
    let wrong_answers = reject(Evidence::QuestionAnswers(answers)).await;

    let response = VerifyIdentityResponse::decode(&*unknown_person.0).unwrap();
    assert_eq!(reasons(&response), [Reason::IdentityNotConfirmed]);
    for answer in [unknown_document, foreign_document, stolen_document, wrong_answers] {
        assert_eq!(answer, unknown_person);
    }
}

#[tokio::test]
async fn r19_at_the_counter_a_rejection_does_not_reveal_whose_document_it_is() {
    let world = World::start().await;
    let (person, other, third) = (world.new_person().await, world.new_person().await, world.new_person().await);

    let unknown_person = world.visit_of(unknown_person(), &other, Vec::new()).await;
    let foreign_document = world.visit_of(person.reference(), &other, Vec::new()).await;
    let other_zone = world.visit_of(third.reference(), &third, other.mrz_lines()).await;

    assert_eq!(foreign_document, unknown_person);
    assert_eq!(other_zone, unknown_person);
}

/// The limit comes after the same number of failures and says the same, whether or not the person exists.
#[tokio::test]
async fn r18_the_limit_does_not_reveal_whether_the_person_exists() {
    let world = World::start().await;
    let (person, other) = (world.new_person().await, world.new_person().await);
    let mut refusals = Vec::new();
    for reference in [unknown_person(), person.reference()] {
        for _ in 0..3 {
            let rejected =
                world.verify_visibly("phone", world.claim_identity(reference.clone(), &other).await).await.unwrap();
            assert_eq!(reasons(rejected.get_ref()), [Reason::IdentityNotConfirmed]);
        }
        let status = world.verify_visibly("phone", world.claim_identity(reference, &other).await).await.unwrap_err();
        let mut refusal = Refusal::read(&status);
        refusal.assert_limit(Reason::VerificationLimit);
        // The comparison leaves out the times.
        let until = refusal.details.error_info().unwrap().metadata["nextAttemptTime"].clone();
        assert!(refusal.details.retry_info().is_some());
        refusal.details.set_retry_info(None);
        let text = refusal.details.localized_message().unwrap().clone();
        let (text_before, _) = text.message.split_once(" on ").unwrap();
        refusal.details.set_localized_message(text.locale, text_before);
        let details = format!("{:?}", refusal.details).replace(&until, "then");
        refusals.push((status.code(), status.message().to_owned(), details, headers(status.metadata())));
    }
    assert_eq!(refusals[0], refusals[1]);
}

#[tokio::test]
async fn no_open_pin_looks_the_same_for_known_and_unknown_persons() {
    let world = World::start().await;
    let (person, dead) = (world.new_person().await, world.person("dead").await);

    let of_unknown_person = world.try_pin(unknown_person()).await;

    assert_eq!(world.try_pin(person.reference()).await, of_unknown_person);
    assert_eq!(world.try_pin(dead.reference()).await, of_unknown_person);
}

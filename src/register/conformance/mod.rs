//! The conformance kit: checks a server that implements `identityregister.v1`, for its authors (`temporary-pin check-register`).
//!
//! The answers are checked as they come over the wire, and then read as the service reads them. The report names persons and
//! documents by the names in the file of known data, and no value of theirs.

mod behaviour;
mod documents;
mod known;
mod person_form;
mod persons;
mod report;

use std::time::{Duration, Instant};

use tonic::{Code, Request, Status};

use super::connection::{Client, MAX_ANSWER_SIZE};
use super::{Register, RegisterSettings};
use crate::proto::identityregister::v1 as proto;

pub use known::KnownData;
pub use report::{Check, Report};

/// A register under test.
struct Candidate {
    client: Client,
    /// The service's own client.
    register: Register,
    deadline: Duration,
    report: Report,
    slowest_answer: Duration,
}

/// Checks the register that the settings name against the known data. An error means that nothing could be checked.
pub async fn check(settings: RegisterSettings, known: &KnownData) -> anyhow::Result<Report> {
    let channel = settings.endpoint()?.connect_lazy();
    let client = Client::new(channel).max_decoding_message_size(MAX_ANSWER_SIZE);
    let deadline = settings.deadline;
    let register = Register::connect_lazy(settings)?;
    let report = Report::default();
    let mut candidate = Candidate { client, register, deadline, report, slowest_answer: Duration::ZERO };
    behaviour::check_unknown(&mut candidate, known).await;
    for person in &known.persons {
        persons::check(&mut candidate, person).await;
    }
    for document in &known.documents {
        documents::check_known(&mut candidate, document).await;
    }
    for document in &known.unknown_documents {
        documents::check_unknown(&mut candidate, document).await;
    }
    behaviour::check_bad_requests(&mut candidate).await;
    behaviour::check_many_calls(&mut candidate, known).await;
    let slowest = candidate.slowest_answer;
    let demand = format!("each answer comes within half of register.deadline (slowest: {} ms)", slowest.as_millis());
    candidate.report.expect("all calls", demand, slowest < deadline / 2, "it took longer");
    Ok(candidate.report)
}

impl Candidate {
    async fn look_up_person(
        &mut self,
        reference: proto::look_up_person_request::Reference,
    ) -> Result<Option<proto::Person>, Status> {
        let request = self.request(proto::LookUpPersonRequest { reference: Some(reference) });
        let start = Instant::now();
        let response = self.client.look_up_person(request).await;
        self.slowest_answer = self.slowest_answer.max(start.elapsed());
        Ok(response?.into_inner().person)
    }

    async fn look_up_document(
        &mut self,
        request: proto::LookUpDocumentRequest,
    ) -> Result<Option<proto::Document>, Status> {
        let request = self.request(request);
        let start = Instant::now();
        let response = self.client.look_up_document(request).await;
        self.slowest_answer = self.slowest_answer.max(start.elapsed());
        Ok(response?.into_inner().document)
    }

    fn request<Q>(&self, message: Q) -> Request<Q> {
        let mut request = Request::new(message);
        request.set_timeout(self.deadline);
        request
    }
}

/// What a status instead of an answer means, without the server's message, which could name a person.
fn describe(status: &Status) -> String {
    match status.code() {
        Code::NotFound => {
            "the answer is the error NOT_FOUND; the contract wants an answer without the message".to_owned()
        }
        Code::Unavailable => "the server could not be reached, or answered UNAVAILABLE".to_owned(),
        Code::Cancelled | Code::DeadlineExceeded => "no answer within register.deadline".to_owned(),
        Code::OutOfRange => "the answer is larger than 64 KiB".to_owned(),
        code => format!("the answer is the error {code:?}"),
    }
}

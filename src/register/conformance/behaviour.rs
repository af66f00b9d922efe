//! Unknown persons, malformed requests, and many calls at once.

use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::timeout;

use super::known::KnownData;
use super::{Candidate, describe};
use crate::proto::identityregister::v1::look_up_person_request::Reference;
use crate::proto::identityregister::v1::{LookUpDocumentRequest, LookUpPersonRequest};

/// The service makes that many calls at once in a busy second.
const CALLS_AT_ONCE: usize = 50;

/// Far more than a number or UUID has.
const OVERSIZED: usize = 50_000;

const MALFORMED: &str = "malformed requests";
const MANY: &str = "many calls";

pub(super) async fn check_unknown(candidate: &mut Candidate, known: &KnownData) {
    let unknown = [
        ("unknown_cpr_number", known.unknown_cpr_number.clone().map(Reference::CprNumber)),
        ("unknown_mitid_uuid", known.unknown_mitid_uuid.clone().map(Reference::MitidUuid)),
    ];
    for (name, reference) in unknown {
        let Some(reference) = reference else { continue };
        let problem = match candidate.look_up_person(reference).await {
            Ok(None) => None,
            Ok(Some(_)) => Some("the answer has a person".to_owned()),
            Err(status) => Some(describe(&status)),
        };
        candidate.report.record(name, "an unknown person is an answer without a person", problem);
    }
}

/// Whatever the server answers, it must not find a person, and it must go on serving.
pub(super) async fn check_bad_requests(candidate: &mut Candidate) {
    let requests = [
        ("a CPR number of four digits", Reference::CprNumber("0101".to_owned())),
        ("a CPR number with letters", Reference::CprNumber("010180ABCD".to_owned())),
        ("a UUID that is none", Reference::MitidUuid("17".to_owned())),
        ("an empty reference", Reference::CprNumber(String::new())),
        ("an oversized reference", Reference::MitidUuid("0".repeat(OVERSIZED))),
    ];
    for (name, reference) in requests {
        let found = matches!(candidate.look_up_person(reference).await, Ok(Some(_)));
        candidate.report.expect(MALFORMED, format!("{name} finds nobody"), !found, "the answer has a person");
    }
    let request = candidate.request(LookUpPersonRequest { reference: None });
    let found = candidate.client.look_up_person(request).await.is_ok_and(|answer| answer.get_ref().person.is_some());
    candidate.report.expect(MALFORMED, "a request without a reference finds nobody", !found, "the answer has a person");
    let document = LookUpDocumentRequest { kind: 0, issuer: "DNK".to_owned(), number: "000000000".to_owned() };
    let found = matches!(candidate.look_up_document(document).await, Ok(Some(_)));
    candidate.report.expect(MALFORMED, "a document of no kind is not found", !found, "the answer has a document");
}

/// Many calls at once, and many that are given up, as when callers of the service go away.
pub(super) async fn check_many_calls(candidate: &mut Candidate, known: &KnownData) {
    let Some(reference) = any_reference(known) else { return };
    let calls = || {
        (0..CALLS_AT_ONCE).map(|_| {
            let request = candidate.request(LookUpPersonRequest { reference: Some(reference.clone()) });
            let mut client = candidate.client.clone();
            async move { client.look_up_person(request).await.map(drop) }
        })
    };
    let failed = join_all(calls()).await.into_iter().find_map(Result::err);
    // Given up almost at once.
    join_all(calls().map(|call| timeout(Duration::from_millis(1), call))).await;
    let again = join_all(calls().take(1)).await.into_iter().find_map(Result::err);
    let demand = format!("{CALLS_AT_ONCE} calls at once are answered within register.deadline");
    candidate.report.record(MANY, demand, failed.map(|status| describe(&status)));
    let demand = format!("after {CALLS_AT_ONCE} calls that were given up the next one is answered");
    candidate.report.record(MANY, demand, again.map(|status| describe(&status)));
}

/// A reference that gets an answer.
fn any_reference(known: &KnownData) -> Option<Reference> {
    let person = known.persons.first();
    let by_number = person.and_then(|person| person.cpr_number.clone()).or_else(|| known.unknown_cpr_number.clone());
    let by_uuid = person.and_then(|person| person.mitid_uuid.clone()).or_else(|| known.unknown_mitid_uuid.clone());
    by_number.map(Reference::CprNumber).or_else(|| by_uuid.map(Reference::MitidUuid))
}

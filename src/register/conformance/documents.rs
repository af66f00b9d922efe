//! Known and unknown documents.

use uuid::Uuid;

use super::known::{DocumentReference, KnownDocument};
use super::person_form::is_set;
use super::report::Report;
use super::{Candidate, describe};
use crate::domain::cpr::CprNumber;
use crate::proto::identityregister::v1 as proto;

use super::super::wire::date;

pub(super) async fn check_known(candidate: &mut Candidate, known: &KnownDocument) {
    let subject = known.name.as_str();
    let Some(request) = known.request() else { return };
    let (document, problem) = match candidate.look_up_document(request.clone()).await {
        Ok(Some(document)) => (Some(document), None),
        Ok(None) => (None, Some("the register does not know the document".to_owned())),
        Err(status) => (None, Some(describe(&status))),
    };
    candidate.report.record(subject, "the document is known", problem);
    let Some(document) = document else { return };
    check_form(&mut candidate.report, subject, &document);
    compare(&mut candidate.report, subject, known, &document);

    // Numbers of passports and licences are not unique between kinds and issuers.
    let other_kind = match request.kind() {
        proto::DocumentKind::Passport => proto::DocumentKind::DrivingLicence,
        _ => proto::DocumentKind::Passport,
    };
    let other = proto::LookUpDocumentRequest { kind: other_kind.into(), ..request.clone() };
    let is_same = matches!(candidate.look_up_document(other).await, Ok(Some(found)) if found == document);
    candidate.report.expect(subject, "the number is not found as another kind of document", !is_same, "it is");
    let other = proto::LookUpDocumentRequest { issuer: "UTO".to_owned(), ..request };
    let is_same = matches!(candidate.look_up_document(other).await, Ok(Some(found)) if found == document);
    candidate.report.expect(subject, "the number is not found as another country's document", !is_same, "it is");
}

pub(super) async fn check_unknown(candidate: &mut Candidate, unknown: &DocumentReference) {
    let Some(request) = unknown.request() else { return };
    let problem = match candidate.look_up_document(request).await {
        Ok(None) => None,
        Ok(Some(_)) => Some("the answer has a document".to_owned()),
        Err(status) => Some(describe(&status)),
    };
    candidate.report.record(&unknown.name, "an unknown document is an answer without a document", problem);
}

fn check_form(report: &mut Report, subject: &str, document: &proto::Document) {
    let mut expect = |demand: &str, is_met: bool, problem: &str| report.expect(subject, demand, is_met, problem);
    let number = document.holder_cpr_number.as_str();
    let is_number = number.is_empty() || number.len() == 10 && CprNumber::parse(number).is_ok();
    expect("holder_cpr_number is ten digits", is_number, "it has another form");
    let uuid = document.holder_mitid_uuid.as_str();
    let is_uuid = uuid.is_empty() || uuid.len() == 36 && Uuid::try_parse(uuid).is_ok();
    expect("holder_mitid_uuid is a UUID with hyphens", is_uuid, "it has another form");
    expect("state is set", is_set::<proto::document::State>(document.state), "it is not, and counts as not valid");
    let is_marked = is_set::<proto::document::Permanence>(document.permanence);
    expect("permanence is set", is_marked, "it is not, and counts as provisional");
    let is_date = |text: &str| date(text, "").is_ok();
    expect(
        "expiry_date is a date like 2030-06-30",
        is_date(&document.expiry_date),
        "it is missing or has another form",
    );
    let printed = document.printed_expiry_date.as_str();
    let is_earlier = printed.is_empty() || is_date(printed) && *printed < *document.expiry_date;
    expect("printed_expiry_date is an earlier date", is_earlier, "it has another form, or is not earlier");
}

fn compare(report: &mut Report, subject: &str, known: &KnownDocument, document: &proto::Document) {
    let mut expect = |field: &str, expected: Option<bool>| {
        if let Some(is_met) = expected {
            report.expect(subject, format!("{field} is as in the file"), is_met, "it differs from the file");
        }
    };
    let is_holder = |holder: &String| [&document.holder_cpr_number, &document.holder_mitid_uuid].contains(&holder);
    expect("holder", known.holder.as_ref().map(is_holder));
    expect("state", known.state().map(|state| state == document.state()));
    expect("expiry_date", known.expiry_date.as_ref().map(|date| *date == document.expiry_date));
    let is_provisional = document.permanence() == proto::document::Permanence::Provisional;
    expect("provisional", known.provisional.map(|provisional| provisional == is_provisional));
}

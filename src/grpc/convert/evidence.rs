//! Evidence of VerifyIdentity.

use secrecy::SecretString;

use super::{Violations, person};
use crate::domain::channel::Channel;
use crate::domain::document::{Document, DocumentFieldError, DocumentKind, SupportingDocument};
use crate::domain::fact::FactKind;
use crate::domain::mrz::Mrz;
use crate::issuance::{Answers, Confirmation, CounterIdentification, Evidence, PhoneIdentification};
use crate::proto::temporarypin::v1 as pb;
use crate::proto::temporarypin::v1::counter_identification::Confirmation as WireConfirmation;
use crate::proto::temporarypin::v1::verify_identity_request::Evidence as Wire;

/// Longest ID token that is looked at, in characters.
const MAX_TOKEN: usize = 8192;

/// More answers than there are kinds of question fit none. All of them named, their violations would outgrow a header.
const MAX_ANSWERS: usize = FactKind::ALL.len();

/// The channel that a kind of evidence belongs to; answers belong to phone and counter.
pub(in super::super) fn fits(evidence: Option<&Wire>, channel: Channel) -> bool {
    match evidence {
        None => true,
        Some(Wire::WebLogin(_)) => channel == Channel::Web,
        Some(Wire::PhoneIdentification(_)) => channel == Channel::Phone,
        Some(Wire::CounterIdentification(_)) => channel == Channel::Counter,
        Some(Wire::QuestionAnswers(_)) => channel != Channel::Web,
    }
}

/// The evidence of a request.
pub(in super::super) fn evidence(violations: &mut Violations, evidence: Option<Wire>) -> Option<Evidence> {
    match evidence {
        None => {
            violations.add("evidence", "is required: set the one that fits the caller's channel");
            None
        }
        Some(Wire::WebLogin(login)) => web(violations, login),
        Some(Wire::PhoneIdentification(phone)) => self::phone(violations, phone).map(Evidence::Phone),
        Some(Wire::CounterIdentification(counter)) => {
            self::counter(violations, counter).map(|counter| Evidence::Counter(Box::new(counter)))
        }
        Some(Wire::QuestionAnswers(answers)) => self::answers(violations, answers).map(Evidence::Answers),
    }
}

fn web(violations: &mut Violations, login: pb::WebLogin) -> Option<Evidence> {
    let id_token = token(violations, "web_login.id_token", login.id_token);
    let nonce = violations.text("web_login.nonce", login.nonce, 255);
    if nonce.as_ref().is_some_and(|nonce| nonce.chars().count() < 8) {
        violations.add("web_login.nonce", "must have at least 8 characters");
    }
    Some(Evidence::Web { id_token: id_token?, nonce: nonce?.into() })
}

fn phone(violations: &mut Violations, phone: pb::PhoneIdentification) -> Option<PhoneIdentification> {
    let path = |field| format!("phone_identification.{field}");
    let person = person(violations, &path("person"), phone.person);
    let kind = phone.document.as_ref().map(pb::Document::kind);
    let document = document(violations, &path("document"), phone.document);
    if matches!(kind, Some(pb::document::Kind::IdentityCard | pb::document::Kind::ResidencePermit)) {
        violations.add(path("document.kind"), "must be KIND_PASSPORT or KIND_DRIVING_LICENCE on the phone");
    }
    let agent_token = token(violations, &path("agent_token"), phone.agent_token);
    let case_reference = violations.reference(&path("case_reference"), phone.case_reference);
    Some(PhoneIdentification {
        person: person?,
        document: document?,
        agent_token: agent_token?,
        case_reference: case_reference?,
    })
}

fn counter(violations: &mut Violations, counter: pb::CounterIdentification) -> Option<CounterIdentification> {
    let path = |field| format!("counter_identification.{field}");
    let person = person(violations, &path("person"), counter.person);
    let document = document(violations, &path("document"), counter.document);
    let mrz = mrz(violations, &path("mrz_lines"), &counter.mrz_lines);
    let supporting_document = supporting(violations, &path("supporting_document.kind"), counter.supporting_document);
    let confirmation = confirmation(violations, counter.confirmation);
    let agent_token = token(violations, &path("agent_token"), counter.agent_token);
    let office_id = violations.reference(&path("office_id"), counter.office_id);
    let appointment_reference = violations.reference(&path("appointment_reference"), counter.appointment_reference);
    Some(CounterIdentification {
        person: person?,
        document: document?,
        mrz: mrz?,
        supporting_document: supporting_document?,
        confirmation: confirmation?,
        agent_token: agent_token?,
        office_id: office_id?,
        appointment_reference: appointment_reference?,
    })
}

fn confirmation(violations: &mut Violations, confirmation: Option<WireConfirmation>) -> Option<Confirmation> {
    match confirmation {
        None => {
            violations.add("counter_identification.confirmation", "is required: set questions or witness");
            None
        }
        Some(WireConfirmation::Questions(pb::Questions {})) => Some(Confirmation::Questions),
        Some(WireConfirmation::Witness(witness)) => {
            let path = |field| format!("counter_identification.witness.{field}");
            let person = person(violations, &path("person"), witness.person);
            let document = document(violations, &path("document"), witness.document);
            Some(Confirmation::Witness(person?, document?))
        }
    }
}

fn answers(violations: &mut Violations, mut answers: pb::QuestionAnswers) -> Option<Answers> {
    let verification_id = violations.verification_id("question_answers.verification_id", answers.verification_id);
    match answers.answers.len() {
        0 => violations.add("question_answers.answers", "is required"),
        1..=MAX_ANSWERS => {}
        _ => {
            violations.add("question_answers.answers", format!("must have at most {MAX_ANSWERS} elements"));
            answers.answers.clear();
        }
    }
    let texts: Vec<Option<(FactKind, SecretString)>> = answers
        .answers
        .into_iter()
        .enumerate()
        .map(|(index, answer)| {
            let path = |field| format!("question_answers.answers[{index}].{field}");
            let kind = FactKind::from_name(&answer.question_id).ok_or("must be the id of a question that was asked");
            let kind = violations.take(&path("question_id"), kind);
            let text = violations.text(&path("text"), answer.text, 100);
            Some((kind?, text?.into()))
        })
        .collect();
    let agent_token = token(violations, "question_answers.agent_token", answers.agent_token);
    Some(Answers {
        verification_id: verification_id?,
        answers: texts.into_iter().collect::<Option<_>>()?,
        agent_token: agent_token?,
    })
}

fn document(violations: &mut Violations, field: &str, document: Option<pb::Document>) -> Option<Document> {
    let Some(document) = document else {
        violations.add(field, "is required");
        return None;
    };
    let kind = match document.kind() {
        pb::document::Kind::Unspecified => None,
        pb::document::Kind::Passport => Some(DocumentKind::Passport),
        pb::document::Kind::DrivingLicence => Some(DocumentKind::DrivingLicence),
        pb::document::Kind::IdentityCard => Some(DocumentKind::IdentityCard),
        pb::document::Kind::ResidencePermit => Some(DocumentKind::ResidencePermit),
    };
    let kind = violations.take(&format!("{field}.kind"), kind.ok_or("is required"));
    // Without a kind the number is held to the form that most kinds have, so that all is told at once.
    match Document::parse(kind.unwrap_or(DocumentKind::IdentityCard), &document.issuer, &document.number) {
        Ok(document) => kind.map(|_| document),
        Err(errors) => {
            for error in errors {
                let name = match error {
                    DocumentFieldError::Issuer => "issuer",
                    DocumentFieldError::Number(_) => "number",
                };
                violations.add(format!("{field}.{name}"), error.to_string());
            }
            None
        }
    }
}

/// `Some(None)` when no document supports.
fn supporting(
    violations: &mut Violations,
    field: &str,
    document: Option<pb::SupportingDocument>,
) -> Option<Option<SupportingDocument>> {
    let Some(document) = document else { return Some(None) };
    match document.kind() {
        pb::supporting_document::Kind::HealthCard => Some(Some(SupportingDocument::HealthCard)),
        pb::supporting_document::Kind::ResidenceCertificate => Some(Some(SupportingDocument::ResidenceCertificate)),
        pb::supporting_document::Kind::Unspecified => {
            violations.add(field, "is required");
            None
        }
    }
}

/// `Some(None)` when nothing was scanned.
fn mrz(violations: &mut Violations, field: &str, lines: &[String]) -> Option<Option<Mrz>> {
    if lines.is_empty() {
        return Some(None);
    }
    violations.take(field, Mrz::parse(lines)).map(Some)
}

fn token(violations: &mut Violations, field: &str, token: String) -> Option<SecretString> {
    violations.text(field, token, MAX_TOKEN).map(SecretString::from)
}

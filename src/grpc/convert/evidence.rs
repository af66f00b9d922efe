//! Reads the evidence of VerifyIdentity.

use secrecy::SecretString;

use super::document::{document_kind, parse_document, parse_mrz, parse_supporting_document};
use super::{Violations, parse_person};
use crate::config::MAX_ID_TOKEN_CHARACTERS;
use crate::domain::channel::Channel;
use crate::domain::document::DocumentKind;
use crate::domain::fact::FactKind;
use crate::issuance::{
    Answers, Confirmation, CounterIdentification, Evidence, PhoneIdentification, WebLoginEvidence, WitnessEvidence,
};
use crate::proto::temporarypin::v1 as pb;
use crate::proto::temporarypin::v1::counter_identification::Confirmation as ProtoConfirmation;
use crate::proto::temporarypin::v1::verify_identity_request::Evidence as ProtoEvidence;

/// Lengths of a nonce, as the contract says.
const MIN_NONCE_CHARACTERS: usize = 8;
const MAX_NONCE_CHARACTERS: usize = 255;

/// Longest answer to a question, as the contract says.
const MAX_ANSWER_CHARACTERS: usize = 100;

/// Most answers in a request: one per kind of question. Without a limit, the list of violations could grow too large for
/// the response's headers.
const MAX_ANSWERS: usize = FactKind::ALL.len();

/// Whether a caller of this channel may send this kind of evidence. Missing evidence is rejected later.
pub(in super::super) fn is_evidence_allowed(evidence: Option<&ProtoEvidence>, channel: Channel) -> bool {
    match evidence {
        None => true,
        Some(ProtoEvidence::WebLogin(_)) => channel == Channel::Web,
        Some(ProtoEvidence::PhoneIdentification(_)) => channel == Channel::Phone,
        Some(ProtoEvidence::CounterIdentification(_)) => channel == Channel::Counter,
        Some(ProtoEvidence::QuestionAnswers(_)) => channel != Channel::Web,
    }
}

/// Parses the evidence of a request, which is required.
pub(in super::super) fn parse_evidence(
    violations: &mut Violations,
    evidence: Option<ProtoEvidence>,
) -> Option<Evidence> {
    match evidence {
        None => {
            violations.add("evidence", "is required: set the one that fits the caller's channel");
            None
        }
        Some(ProtoEvidence::WebLogin(login)) => parse_web_login(violations, login),
        Some(ProtoEvidence::PhoneIdentification(phone)) => parse_phone(violations, phone).map(Evidence::Phone),
        Some(ProtoEvidence::CounterIdentification(counter)) => {
            parse_counter(violations, counter).map(|counter| Evidence::Counter(Box::new(counter)))
        }
        Some(ProtoEvidence::QuestionAnswers(answers)) => parse_answers(violations, answers).map(Evidence::Answers),
    }
}

fn parse_web_login(violations: &mut Violations, login: pb::WebLogin) -> Option<Evidence> {
    let path = |field| format!("web_login.{field}");
    parse_login(violations, &path("id_token"), login.id_token, &path, login.userinfo_token, login.nonce)
        .map(Evidence::Web)
}

/// Parses a person's login: an ID token at `token_field`, and beside it `userinfo_token`, which is optional, and `nonce`.
fn parse_login(
    violations: &mut Violations,
    token_field: &str,
    id_token: String,
    path: &impl Fn(&'static str) -> String,
    userinfo_token: String,
    nonce: String,
) -> Option<WebLoginEvidence> {
    let id_token = parse_token(violations, token_field, id_token);
    let userinfo_token = match userinfo_token {
        token if token.is_empty() => Some(None),
        token => parse_token(violations, &path("userinfo_token"), token).map(Some),
    };
    let nonce = violations.parse_text(&path("nonce"), nonce, MAX_NONCE_CHARACTERS);
    if nonce.as_ref().is_some_and(|nonce| nonce.chars().count() < MIN_NONCE_CHARACTERS) {
        violations.add(path("nonce"), format!("must have at least {MIN_NONCE_CHARACTERS} characters"));
    }
    Some(WebLoginEvidence { id_token: id_token?, userinfo_token: userinfo_token?, nonce: nonce?.into() })
}

fn parse_phone(violations: &mut Violations, phone: pb::PhoneIdentification) -> Option<PhoneIdentification> {
    let path = |field| format!("phone_identification.{field}");
    let person = parse_person(violations, &path("person"), phone.person);
    let kind = phone.document.as_ref().map(pb::Document::kind);
    let document = parse_document(violations, &path("document"), phone.document);
    let is_of_the_phone = |kind| document_kind(kind).is_none_or(DocumentKind::is_of_the_phone);
    if !kind.is_none_or(is_of_the_phone) {
        violations.add(path("document.kind"), "must be KIND_PASSPORT or KIND_DRIVING_LICENCE on the phone");
    }
    let agent_token = parse_token(violations, &path("agent_token"), phone.agent_token);
    let case_reference = violations.parse_reference(&path("case_reference"), phone.case_reference, person.as_ref());
    Some(PhoneIdentification {
        person: person?,
        document: document?,
        agent_token: agent_token?,
        case_reference: case_reference?,
    })
}

fn parse_counter(violations: &mut Violations, counter: pb::CounterIdentification) -> Option<CounterIdentification> {
    let path = |field| format!("counter_identification.{field}");
    let person = parse_person(violations, &path("person"), counter.person);
    let document = parse_document(violations, &path("document"), counter.document);
    let mrz = parse_mrz(violations, &path("mrz_lines"), &counter.mrz_lines);
    let supporting_document =
        parse_supporting_document(violations, &path("supporting_document.kind"), counter.supporting_document);
    let confirmation = parse_confirmation(violations, counter.confirmation);
    let agent_token = parse_token(violations, &path("agent_token"), counter.agent_token);
    let office_id = violations.parse_reference(&path("office_id"), counter.office_id, person.as_ref());
    let appointment_reference =
        violations.parse_reference(&path("appointment_reference"), counter.appointment_reference, person.as_ref());
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

fn parse_confirmation(violations: &mut Violations, confirmation: Option<ProtoConfirmation>) -> Option<Confirmation> {
    match confirmation {
        None => {
            violations.add("counter_identification.confirmation", "is required: set questions or witness");
            None
        }
        Some(ProtoConfirmation::Questions(pb::Questions {})) => Some(Confirmation::Questions),
        Some(ProtoConfirmation::Witness(witness)) => {
            parse_witness(violations, witness).map(|witness| Confirmation::Witness(Box::new(witness)))
        }
    }
}

/// Without any field of a login, the settings decide whether one is required.
fn parse_witness(violations: &mut Violations, witness: pb::Witness) -> Option<WitnessEvidence> {
    let path = |field| format!("counter_identification.witness.{field}");
    let person = parse_person(violations, &path("person"), witness.person);
    let document = parse_document(violations, &path("document"), witness.document);
    let pb::Witness { login_token, nonce, userinfo_token, .. } = witness;
    let login = if login_token.is_empty() && nonce.is_empty() && userinfo_token.is_empty() {
        Some(None)
    } else {
        parse_login(violations, &path("login_token"), login_token, &path, userinfo_token, nonce).map(Some)
    };
    Some(WitnessEvidence { person: person?, document: document?, login: login? })
}

fn parse_answers(violations: &mut Violations, mut answers: pb::QuestionAnswers) -> Option<Answers> {
    let verification_id = violations.parse_verification_id("question_answers.verification_id", answers.verification_id);
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
            let kind = violations.ok_or_add(&path("question_id"), kind);
            let text = violations.parse_text(&path("text"), answer.text, MAX_ANSWER_CHARACTERS);
            Some((kind?, text?.into()))
        })
        .collect();
    let agent_token = parse_token(violations, "question_answers.agent_token", answers.agent_token);
    Some(Answers {
        verification_id: verification_id?,
        answers: texts.into_iter().collect::<Option<_>>()?,
        agent_token: agent_token?,
    })
}

fn parse_token(violations: &mut Violations, field: &str, token: String) -> Option<SecretString> {
    violations.parse_text(field, token, MAX_ID_TOKEN_CHARACTERS).map(SecretString::from)
}

//! Converts between messages of the contract and domain types.
//!
//! `parse_…` reads a request and collects all malformed fields, each with its path. `…_to_proto` builds a response.

mod document;
mod enums;
mod evidence;
mod operator_requests;
mod operator_responses;
mod person;
mod responses;

pub(super) use enums::parse_language;
pub(super) use evidence::{is_evidence_allowed, parse_evidence};
pub(super) use operator_requests::{parse_limit, parse_page_size, parse_person_and_reason, parse_reason};
pub(super) use operator_responses::{
    access_request_record_to_proto, audit_event_to_proto, block_to_proto, blocking_to_proto, cancellation_to_proto,
    limit_status_to_proto, pin_request_record_to_proto, revocation_to_proto, unblocking_to_proto,
};
pub(super) use person::parse_person;
pub(super) use responses::{eligibility_to_proto, pin_request_to_proto, redemption_to_proto, verification_to_proto};

use tonic::Status;
use tonic_types::FieldViolation;
use uuid::Uuid;

use super::status;
use crate::domain::language::Language;
use crate::domain::person::PersonReference;
use crate::domain::pin::Pin;
use crate::domain::reference::check_reference;

/// Longest verification id, as the contract says.
const MAX_VERIFICATION_ID_CHARACTERS: usize = 512;

/// Length of a UUID with hyphens. Shorter forms, which the parser accepts too, are not allowed.
const UUID_LENGTH: usize = 36;

/// Collects the malformed fields of a request.
#[derive(Default)]
pub(super) struct Violations(Vec<FieldViolation>);

impl Violations {
    /// Adds a malformed field. The description says what a valid value is.
    pub(super) fn add(&mut self, field: impl Into<String>, description: impl Into<String>) {
        self.0.push(FieldViolation::new(field, description));
    }

    /// The value if it is valid. If not, adds the field.
    pub(super) fn ok_or_add<T>(&mut self, field: &str, value: Result<T, impl ToString>) -> Option<T> {
        value.map_err(|error| self.add(field, error.to_string())).ok()
    }

    /// The parsed request, or INVALID_ARGUMENT with all malformed fields.
    pub(super) fn into_result<T>(self, value: Option<T>) -> Result<T, Status> {
        match value {
            Some(value) if self.0.is_empty() => Ok(value),
            _ => Err(status::invalid_fields(self.0)),
        }
    }

    /// Parses a text of 1 to `max` characters.
    pub(super) fn parse_text(&mut self, field: &str, text: String, max: usize) -> Option<String> {
        if text.is_empty() {
            self.add(field, "is required");
        } else if text.chars().count() > max {
            self.add(field, format!("must have at most {max} characters"));
        } else {
            return Some(text);
        }
        None
    }

    /// Parses a reference into another system: case, office, appointment. `person`: whom the request names.
    pub(super) fn parse_reference(
        &mut self,
        field: &str,
        text: String,
        person: Option<&PersonReference>,
    ) -> Option<String> {
        let own = match person {
            Some(PersonReference::Cpr(number)) => Some(number),
            Some(PersonReference::Mitid(_)) | None => None,
        };
        self.ok_or_add(field, check_reference(&text, own)).map(|()| text)
    }

    /// Parses a verification id. It is opaque here; its MAC is checked later.
    pub(super) fn parse_verification_id(&mut self, field: &str, text: String) -> Option<String> {
        self.parse_text(field, text, MAX_VERIFICATION_ID_CHARACTERS)
    }

    /// Parses a UUID in the form with hyphens.
    pub(super) fn parse_uuid(&mut self, field: &str, text: &str) -> Option<Uuid> {
        if text.is_empty() {
            self.add(field, "is required");
            return None;
        }
        let uuid = Uuid::try_parse(text).ok().filter(|_| text.len() == UUID_LENGTH);
        self.ok_or_add(field, uuid.ok_or("must be a UUID such as 6f1c2e0a-4f57-4c4e-9a0e-0d9a5b0f7c11"))
    }

    pub(super) fn parse_pin(&mut self, field: &str, text: &str) -> Option<Pin> {
        self.ok_or_add(field, Pin::parse(text))
    }

    /// Parses an optional language. `Some(None)` if the field is not set.
    pub(super) fn parse_language(&mut self, field: &str, value: i32) -> Option<Option<Language>> {
        let language = parse_language(value);
        if language.is_none() {
            self.add(field, "must be LANGUAGE_DA, LANGUAGE_EN or LANGUAGE_KL");
        }
        language
    }
}

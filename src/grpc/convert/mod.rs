//! Between the wire and the domain. Requests are checked whole: every malformed field is named, with its path.

mod answer;
mod evidence;
mod names;
mod operator;
mod person;

pub(super) use answer::{eligibility, pin_request, redemption, verification};
pub(super) use evidence::{evidence, fits as evidence_fits};
pub(super) use names::language;
pub(super) use operator::{
    access_request_record, audit_event, block, limit, limit_status, notice, page_size, person_and_reason,
    pin_request_record, reason,
};
pub(super) use person::person;

use tonic::Status;
use tonic_types::FieldViolation;
use uuid::Uuid;

use super::status;
use crate::domain::cpr::CprNumber;
use crate::domain::language::Language;
use crate::domain::pin::Pin;

/// Collects what is wrong with a request.
#[derive(Default)]
pub(super) struct Violations(Vec<FieldViolation>);

impl Violations {
    /// Notes that a field is malformed.
    pub(super) fn add(&mut self, field: impl Into<String>, description: impl Into<String>) {
        self.0.push(FieldViolation::new(field, description));
    }

    /// The value, or a note.
    pub(super) fn take<T>(&mut self, field: &str, value: Result<T, impl ToString>) -> Option<T> {
        value.map_err(|error| self.add(field, error.to_string())).ok()
    }

    /// The request's value, if all of it was well formed.
    pub(super) fn finish<T>(self, value: Option<T>) -> Result<T, Status> {
        match value {
            Some(value) if self.0.is_empty() => Ok(value),
            _ => Err(status::invalid(self.0)),
        }
    }

    /// A text of 1 to `max` characters.
    pub(super) fn text(&mut self, field: &str, text: String, max: usize) -> Option<String> {
        if text.is_empty() {
            self.add(field, "is required");
        } else if text.chars().count() > max {
            self.add(field, format!("must have at most {max} characters"));
        } else {
            return Some(text);
        }
        None
    }

    /// A reference into another system: 1 to 64 characters of A–Z a–z 0–9 . _ -
    pub(super) fn reference(&mut self, field: &str, text: String) -> Option<String> {
        let text = self.text(field, text, 64)?;
        if CprNumber::parse(&text).is_ok() {
            self.add(field, "must not be a CPR number: it is stored as it is");
            return None;
        }
        if text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte)) {
            return Some(text);
        }
        self.add(field, "may contain only the letters A–Z a–z, digits and . _ -");
        None
    }

    /// A verification id: opaque, of at most 512 characters, as the contract promises.
    pub(super) fn verification_id(&mut self, field: &str, text: String) -> Option<String> {
        self.text(field, text, 512)
    }

    /// A UUID, in its 36-character form.
    pub(super) fn uuid(&mut self, field: &str, text: &str) -> Option<Uuid> {
        if text.is_empty() {
            self.add(field, "is required");
            return None;
        }
        let uuid = Uuid::try_parse(text).ok().filter(|_| text.len() == 36);
        self.take(field, uuid.ok_or("must be a UUID such as 6f1c2e0a-4f57-4c4e-9a0e-0d9a5b0f7c11"))
    }

    /// A PIN.
    pub(super) fn pin(&mut self, field: &str, text: &str) -> Option<Pin> {
        self.take(field, Pin::parse(text))
    }

    /// An optional language: `Some(None)` when none is asked for.
    pub(super) fn language(&mut self, field: &str, value: i32) -> Option<Option<Language>> {
        let language = language(value);
        if language.is_none() {
            self.add(field, "must be LANGUAGE_DA, LANGUAGE_EN or LANGUAGE_KL");
        }
        language
    }
}

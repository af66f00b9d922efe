//! Reads JSON bodies field by field, so that the answer to a mistake names the field.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

/// An error answer, mostly to a mistake in the request.
pub(crate) struct BadRequest {
    status: StatusCode,
    field: Option<String>,
    message: String,
}

impl BadRequest {
    /// A field is missing or wrong.
    pub(crate) fn field(name: &str, message: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, field: Some(name.to_owned()), message: message.into() }
    }

    /// The path or the id does not exist.
    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self { status: StatusCode::NOT_FOUND, field: None, message: message.into() }
    }

    /// Earlier requests have claimed every ordinary person.
    pub(crate) fn conflict(message: impl Into<String>) -> Self {
        Self { status: StatusCode::CONFLICT, field: None, message: message.into() }
    }
}

impl From<anyhow::Error> for BadRequest {
    fn from(error: anyhow::Error) -> Self {
        Self { status: StatusCode::INTERNAL_SERVER_ERROR, field: None, message: format!("{error:#}") }
    }
}

impl IntoResponse for BadRequest {
    fn into_response(self) -> Response {
        (self.status, Json(json!({ "field": self.field, "error": self.message }))).into_response()
    }
}

/// The fields of a body that have not been taken yet.
pub(crate) struct Fields(Map<String, Value>);

impl Fields {
    pub(crate) fn parse(body: &[u8]) -> Result<Self, BadRequest> {
        match serde_json::from_slice(body) {
            Ok(Value::Object(fields)) => Ok(Self(fields)),
            Ok(_) => Err(BadRequest::field("", "the body must be a JSON object")),
            Err(error) => Err(BadRequest::field("", format!("the body is no JSON: {error}"))),
        }
    }

    pub(crate) fn take_text(&mut self, name: &str) -> Result<String, BadRequest> {
        self.take_optional_text(name)?.ok_or_else(|| BadRequest::field(name, "is required"))
    }

    pub(crate) fn take_optional_text(&mut self, name: &str) -> Result<Option<String>, BadRequest> {
        match self.0.remove(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(BadRequest::field(name, "must be a text")),
        }
    }

    /// Takes a whole number of at most `max`.
    pub(crate) fn take_optional_number(&mut self, name: &str, max: u32) -> Result<Option<u32>, BadRequest> {
        let wrong = || BadRequest::field(name, format!("must be a whole number between 0 and {max}"));
        match self.0.remove(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => {
                let number = value.as_u64().and_then(|number| u32::try_from(number).ok());
                number.filter(|number| *number <= max).map(Some).ok_or_else(wrong)
            }
        }
    }

    /// Takes true or false.
    pub(crate) fn take_optional_flag(&mut self, name: &str) -> Result<Option<bool>, BadRequest> {
        match self.0.remove(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(flag)),
            Some(_) => Err(BadRequest::field(name, "must be true or false")),
        }
    }

    /// Takes true or false. A missing field is false.
    pub(crate) fn take_flag(&mut self, name: &str) -> Result<bool, BadRequest> {
        Ok(self.take_optional_flag(name)?.unwrap_or_default())
    }

    /// Fails if fields are left, mostly because a name is misspelt.
    pub(crate) fn finish(self) -> Result<(), BadRequest> {
        match self.0.keys().next() {
            None => Ok(()),
            Some(name) => Err(BadRequest::field(name, "is not known")),
        }
    }
}

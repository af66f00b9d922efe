//! JSON bodies, read field by field, so that every mistake in them is answered with the name of the field.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

/// An answer that says no.
pub(crate) struct Refusal {
    status: StatusCode,
    field: Option<String>,
    message: String,
}

impl Refusal {
    /// A field is missing or wrong.
    pub(crate) fn field(name: &str, message: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, field: Some(name.to_owned()), message: message.into() }
    }

    /// There is no such thing.
    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self { status: StatusCode::NOT_FOUND, field: None, message: message.into() }
    }

    /// There was, and others have it.
    pub(crate) fn conflict(message: impl Into<String>) -> Self {
        Self { status: StatusCode::CONFLICT, field: None, message: message.into() }
    }
}

impl From<anyhow::Error> for Refusal {
    fn from(error: anyhow::Error) -> Self {
        Self { status: StatusCode::INTERNAL_SERVER_ERROR, field: None, message: format!("{error:#}") }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.status, Json(json!({ "field": self.field, "error": self.message }))).into_response()
    }
}

/// The fields of a body that nobody has asked for yet.
pub(crate) struct Fields(Map<String, Value>);

impl Fields {
    /// Reads a body.
    pub(crate) fn parse(body: &[u8]) -> Result<Self, Refusal> {
        match serde_json::from_slice(body) {
            Ok(Value::Object(fields)) => Ok(Self(fields)),
            Ok(_) => Err(Refusal::field("", "the body must be a JSON object")),
            Err(error) => Err(Refusal::field("", format!("the body is no JSON: {error}"))),
        }
    }

    /// A text that must be there.
    pub(crate) fn text(&mut self, name: &str) -> Result<String, Refusal> {
        self.optional_text(name)?.ok_or_else(|| Refusal::field(name, "is required"))
    }

    /// A text that may be there.
    pub(crate) fn optional_text(&mut self, name: &str) -> Result<Option<String>, Refusal> {
        match self.0.remove(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(Refusal::field(name, "must be a text")),
        }
    }

    /// A whole number of at most `most` that may be there.
    pub(crate) fn optional_number(&mut self, name: &str, most: u32) -> Result<Option<u32>, Refusal> {
        let wrong = || Refusal::field(name, format!("must be a whole number between 0 and {most}"));
        match self.0.remove(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => {
                let number = value.as_u64().and_then(|number| u32::try_from(number).ok());
                number.filter(|number| *number <= most).map(Some).ok_or_else(wrong)
            }
        }
    }

    /// True or false; false where it is missing.
    pub(crate) fn flag(&mut self, name: &str) -> Result<bool, Refusal> {
        match self.0.remove(name) {
            None | Some(Value::Null) => Ok(false),
            Some(Value::Bool(flag)) => Ok(flag),
            Some(_) => Err(Refusal::field(name, "must be true or false")),
        }
    }

    /// Refuses what nobody has asked for: most often a misspelt name.
    pub(crate) fn end(self) -> Result<(), Refusal> {
        match self.0.keys().next() {
            None => Ok(()),
            Some(name) => Err(Refusal::field(name, "is not known here")),
        }
    }
}

//! A gateway whose HTTP interface the configuration describes.

use std::collections::BTreeMap;

use anyhow::{Context as _, ensure};
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use reqwest::{RequestBuilder, Url};
use secrecy::ExposeSecret as _;
use serde::Deserialize;
use serde_json::Value;
use zeroize::Zeroizing;

use super::http_client::{Answer, secret_header, with_json};
use super::{Account, is_reference, msisdn};
use crate::domain::dispatch::FailureKind;
use crate::sms::gateway::{Acceptance, OutgoingSms, SendFailure};

/// The request, and what its answers mean.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApiDescription {
    /// How the body is written.
    #[serde(default)]
    pub encoding: Encoding,
    /// The body as JSON with placeholders in its texts. Of a form: one object of texts.
    pub body: String,
    /// Headers with placeholders.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Where the gateway's id is in the answer, as a JSON pointer. A message without one is not accepted.
    pub reference: String,
    /// Statuses that are about the message.
    #[serde(default)]
    pub refused: Vec<u16>,
    /// Statuses with which the message is certainly not taken, beside 429.
    #[serde(default)]
    pub not_taken: Vec<u16>,
    /// Statuses that are about the account, beside 401, 402, 403 and 404.
    #[serde(default)]
    pub account: Vec<u16>,
}

/// How the body of the request is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Encoding {
    #[default]
    Json,
    Form,
}

/// The placeholders. A text of JSON that is nothing but `{validity_seconds}` or `{msisdn_number}` becomes a number.
const PLACEHOLDERS: [&str; 8] =
    ["{text}", "{number}", "{msisdn}", "{msisdn_number}", "{sender}", "{reference}", "{validity_seconds}", "{token}"];

impl ApiDescription {
    /// Checks what only a look into the values shows. The error says what to write.
    pub fn check(&self) -> anyhow::Result<()> {
        let body: Value = serde_json::from_str(&self.body).map_err(|_| anyhow::anyhow!("body: must be JSON"))?;
        ensure!(self.body.contains("{text}"), "body: must contain {{text}}");
        let has_number = ["{number}", "{msisdn}", "{msisdn_number}"].iter().any(|name| self.body.contains(name));
        ensure!(has_number, "body: must contain {{number}}, {{msisdn}} or {{msisdn_number}}");
        let is_flat = |body: &Value| body.as_object().is_some_and(|fields| fields.values().all(Value::is_string));
        ensure!(self.encoding == Encoding::Json || is_flat(&body), "body: of a form, must be one object of texts");
        let texts = texts_of(&body).chain(self.headers.values().map(String::as_str));
        for text in texts {
            let rest = PLACEHOLDERS.iter().fold(text.to_owned(), |text, name| text.replace(name, ""));
            ensure!(!rest.contains(['{', '}']), "body, headers: the placeholders are {}", PLACEHOLDERS.join(", "));
        }
        for name in self.headers.keys() {
            HeaderName::try_from(name).ok().context("headers: a name is not valid")?;
        }
        ensure!(self.reference.starts_with('/'), "reference: must be a JSON pointer, such as /messages/0/id");
        Ok(())
    }

    pub(super) fn prepare(&self, request: RequestBuilder, account: &Account, message: &OutgoingSms) -> RequestBuilder {
        let values = Values { account, message };
        let request = self
            .headers
            .iter()
            .fold(request, |request, (name, value)| request.header(name, secret_header(&values.fill(value))));
        // The template was checked when the configuration was read.
        let template: Value = serde_json::from_str(&self.body).unwrap_or_default();
        match self.encoding {
            Encoding::Json => {
                let body = values.fill_json(&template);
                with_json(request, Zeroizing::new(serde_json::to_vec(&body).unwrap_or_default()))
            }
            Encoding::Form => {
                let form = HeaderValue::from_static("application/x-www-form-urlencoded");
                request.header(CONTENT_TYPE, form).body(Bytes::from_owner(values.to_form(&template)))
            }
        }
    }

    pub(super) fn read_answer(&self, answer: &Answer) -> Result<Acceptance, SendFailure> {
        let status = answer.status.as_u16();
        if answer.status.is_success() {
            let body: Value = serde_json::from_slice(answer.body.as_deref().unwrap_or_default()).unwrap_or_default();
            let reference = match body.pointer(&self.reference) {
                Some(Value::String(text)) => Some(text.clone()),
                Some(Value::Number(number)) => Some(number.to_string()),
                _ => None,
            };
            let reference = reference.filter(|text| is_reference(text));
            let reference = reference.ok_or_else(|| answer.failure(FailureKind::Unknown, None))?;
            return Ok(Acceptance { gateway_reference: Some(reference) });
        }
        let kind = if self.refused.contains(&status) {
            FailureKind::Message
        } else if self.not_taken.contains(&status) {
            FailureKind::NotTaken
        } else if self.account.contains(&status) {
            FailureKind::Account
        } else {
            answer.classify_status()
        };
        Err(answer.failure(kind, None))
    }
}

/// All texts in a JSON value, but for the names of fields.
fn texts_of(value: &Value) -> Box<dyn Iterator<Item = &str> + '_> {
    match value {
        Value::String(text) => Box::new(std::iter::once(text.as_str())),
        Value::Array(values) => Box::new(values.iter().flat_map(texts_of)),
        Value::Object(fields) => Box::new(fields.values().flat_map(texts_of)),
        _ => Box::new(std::iter::empty()),
    }
}

/// What the placeholders stand for in one request.
struct Values<'a> {
    account: &'a Account,
    message: &'a OutgoingSms,
}

impl Values<'_> {
    fn value_of(&self, placeholder: &str) -> String {
        match placeholder {
            "{text}" => self.message.text.to_string(),
            "{number}" => self.message.recipient.e164().to_owned(),
            "{msisdn}" | "{msisdn_number}" => msisdn(self.message).to_owned(),
            "{sender}" => self.account.sender.clone(),
            "{reference}" => self.message.reference.clone(),
            "{validity_seconds}" => self.message.validity.as_secs().max(1).to_string(),
            "{token}" => self.account.token.load().expose_secret().to_owned(),
            _ => String::new(),
        }
    }

    /// Fills in one pass, so that braces in a value stay as they are.
    fn fill(&self, template: &str) -> String {
        let mut filled = String::with_capacity(template.len());
        let mut rest = template;
        while let Some(start) = rest.find('{') {
            let end = rest[start..].find('}').map_or(rest.len(), |length| start + length + 1);
            filled.push_str(&rest[..start]);
            filled.push_str(&self.value_of(&rest[start..end]));
            rest = &rest[end..];
        }
        filled + rest
    }

    fn fill_json(&self, template: &Value) -> Value {
        match template {
            Value::String(text) if text == "{validity_seconds}" || text == "{msisdn_number}" => {
                self.value_of(text).parse::<u64>().map_or(Value::Null, Value::from)
            }
            Value::String(text) => Value::String(self.fill(text)),
            Value::Array(values) => values.iter().map(|value| self.fill_json(value)).collect(),
            Value::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), self.fill_json(value))).collect(),
            other => other.clone(),
        }
    }

    fn to_form(&self, template: &Value) -> Zeroizing<Vec<u8>> {
        // The query of a URL is written as a form is.
        let Ok(mut url) = Url::parse("http://form") else { return Zeroizing::default() };
        for (name, value) in template.as_object().into_iter().flatten() {
            url.query_pairs_mut().append_pair(name, &self.fill(value.as_str().unwrap_or_default()));
        }
        Zeroizing::new(url.query().unwrap_or_default().as_bytes().to_vec())
    }
}

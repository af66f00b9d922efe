//! Converts an error to JSON: its code and all its details.

use prost::Message as _;
use prost_reflect::{DescriptorPool, DynamicMessage};
use serde_json::{Map, Value, json};
use tonic::Status;

use crate::calls;
use crate::values::CaseError;

/// `{"error": …}` of a status and its details.
pub(crate) fn described(status: &Status, pool: &DescriptorPool) -> Result<Value, CaseError> {
    let mut shown = Map::from_iter([("code".to_owned(), json!(code(status)))]);
    let details = tonic_types::pb::Status::decode(status.details()).map_err(|error| format!("details: {error}"))?;
    for detail in details.details {
        let name = detail.type_url.rsplit('/').next().unwrap_or_default();
        let kind = pool.get_message_by_name(name).ok_or_else(|| format!("details: {name} is not in the protoset"))?;
        let message = DynamicMessage::decode(kind, &*detail.value).map_err(|error| format!("details: {error}"))?;
        describe(name, calls::json(&message)?, &mut shown);
    }
    Ok(json!({ "error": shown }))
}

/// Adds one google.rpc detail to the JSON of an error.
fn describe(name: &str, mut detail: Value, shown: &mut Map<String, Value>) {
    let each = |list: &str, field: &str| -> Vec<Value> {
        detail[list].as_array().into_iter().flatten().map(|item| item[field].clone()).collect()
    };
    let (key, value) = match name.strip_prefix("google.rpc.").unwrap_or(name) {
        "ErrorInfo" => {
            shown.insert("domain".to_owned(), detail["domain"].take());
            if detail["metadata"].as_object().is_some_and(|metadata| !metadata.is_empty()) {
                shown.insert("metadata".to_owned(), detail["metadata"].take());
            }
            ("reason", detail["reason"].take())
        }
        "BadRequest" => {
            let mut fields = each("field_violations", "field");
            fields.sort_by_key(Value::to_string);
            ("fields", fields.into())
        }
        "RetryInfo" => {
            let seconds = detail["retry_delay"].as_str().and_then(|delay| delay.trim_end_matches('s').parse().ok());
            ("retry_seconds", json!(seconds.unwrap_or(0.0_f64)))
        }
        "QuotaFailure" => ("quota", each("violations", "subject").into()),
        "PreconditionFailure" => ("preconditions", each("violations", "type").into()),
        "LocalizedMessage" => ("localized", detail),
        "RequestInfo" => ("request_info", detail["request_id"].take()),
        other => (other, detail),
    };
    shown.insert(key.to_owned(), value);
}

/// The code's name, as gRPC's documentation writes it.
fn code(status: &Status) -> String {
    let mut name = String::new();
    for letter in format!("{:?}", status.code()).chars() {
        if letter.is_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.extend(letter.to_uppercase());
    }
    name
}

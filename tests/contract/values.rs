//! Evaluates the values of cases: variables and generated values. See "Values" in docs/contract-tests.md.

use rand::RngExt as _;
use serde_json::{Map, Value, json};

/// The variables of a case.
pub(crate) type Scope = Map<String, Value>;

/// Why a case cannot be played.
pub(crate) type CaseError = String;

/// The value with its variables replaced and its generators evaluated.
pub(crate) fn evaluate(value: &Value, scope: &Scope) -> Result<Value, CaseError> {
    Ok(match value {
        Value::String(text) => fill(text, scope)?,
        Value::Array(items) => items.iter().map(|item| evaluate(item, scope)).collect::<Result<_, _>>()?,
        Value::Object(fields) => {
            let fields = fields
                .iter()
                .map(|(key, value)| Ok((key.clone(), evaluate(value, scope)?)))
                .collect::<Result<Map<_, _>, CaseError>>()?;
            make(fields)?
        }
        other => other.clone(),
    })
}

/// The value at a path such as `asked.questions.0.prompt`: a variable, then fields and indexes.
fn look_up(path: &str, scope: &Scope) -> Result<Value, CaseError> {
    if path == "uuid" {
        return Ok(json!(uuid()));
    }
    let mut parts = path.split('.');
    let missing = |part| format!("${{{path}}}: there is no {part}");
    let first = parts.next().unwrap_or_default();
    let mut value = scope.get(first).ok_or_else(|| missing(first))?;
    for part in parts {
        let found = match value {
            Value::Array(items) => part.parse().ok().and_then(|index: usize| items.get(index)),
            _ => value.get(part),
        };
        value = found.ok_or_else(|| missing(part))?;
    }
    Ok(value.clone())
}

/// A text that consists of one variable becomes the variable's value. In other texts each variable is replaced by its text.
fn fill(text: &str, scope: &Scope) -> Result<Value, CaseError> {
    if let Some(path) = text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'))
        && !path.contains('}')
    {
        return look_up(path, scope);
    }
    let (mut filled, mut rest) = (String::new(), text);
    while let Some((before, (path, after))) =
        rest.split_once("${").and_then(|(before, rest)| Some((before, rest.split_once('}')?)))
    {
        filled.push_str(before);
        filled.push_str(&plain(&look_up(path, scope)?));
        rest = after;
    }
    filled.push_str(rest);
    Ok(Value::String(filled))
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Evaluates `$text`, `$merge`, `$answers` and `$wrong_pin`. Other objects stay as they are.
fn make(fields: Map<String, Value>) -> Result<Value, CaseError> {
    if let Some(text) = fields.get("$text") {
        return Ok(json!(plain(text).repeat(usize::try_from(number(&fields["times"])?).unwrap_or_default())));
    }
    if let Some(merge) = fields.get("$merge") {
        let (Some(base), Some(changes)) = (merge[0].as_object(), merge[1].as_object()) else {
            return Err(format!("$merge needs two objects: {merge}"));
        };
        let mut merged = base.clone();
        merged.extend(changes.clone());
        merged.retain(|_, value| !value.is_null());
        return Ok(Value::Object(merged));
    }
    if let Some(answers) = fields.get("$answers") {
        return self::answers(answers);
    }
    if let Some(pin) = fields.get("$wrong_pin") {
        let pin: u32 = plain(pin).parse().map_err(|_| format!("$wrong_pin: {pin} is no PIN"))?;
        return Ok(json!(format!("{:08}", (pin + 1) % 100_000_000)));
    }
    Ok(Value::Object(fields))
}

/// One answer per question: the first `right` answers are right, the others wrong.
fn answers(arguments: &Value) -> Result<Value, CaseError> {
    let right = number(&arguments["right"])?;
    let questions = arguments["questions"].as_array().ok_or("$answers: there are no questions")?;
    (0..)
        .zip(questions)
        .map(|(index, question)| {
            let kind = question["kind"].as_str().unwrap_or_default();
            let truth = arguments["person"]["facts"][kind][0].as_str();
            let text = if index < right { truth.ok_or_else(|| format!("$answers: no {kind}"))? } else { "Nonsens" };
            Ok(json!({ "question_id": question["question_id"], "text": text }))
        })
        .collect()
}

pub(crate) fn number(value: &Value) -> Result<i64, CaseError> {
    value.as_i64().ok_or_else(|| format!("{value} is no whole number"))
}

/// A new random UUID.
#[expect(clippy::disallowed_methods, reason = "the service's source of randomness is not this program's")]
pub(crate) fn uuid() -> String {
    uuid::Builder::from_random_bytes(rand::rng().random()).into_uuid().to_string()
}

//! Compares actual with expected values. See "Expectations" in docs/contract-tests.md.

use chrono::{DateTime, TimeDelta, Utc};
use regex::Regex;
use serde_json::{Map, Value, json};
use uuid::Uuid;

const TOLERANCE: TimeDelta = TimeDelta::seconds(1);

/// The sandbox's time before and after a call.
pub(crate) type Window = (DateTime<Utc>, DateTime<Utc>);

/// One line for each difference.
pub(crate) fn differences(expected: &Value, actual: &Value, window: Option<Window>, at: &str) -> Vec<String> {
    match (expected, actual) {
        (Value::Object(fields), _) if let Some(matcher) = fields.keys().find(|key| key.starts_with('$')) => {
            by_matcher(matcher, fields, actual, window, at)
        }
        (Value::Object(expected), Value::Object(actual)) => expected
            .iter()
            .flat_map(|(key, value)| {
                let at = format!("{at}.{key}");
                actual.get(key).map_or_else(|| absent(value, &at), |actual| differences(value, actual, window, &at))
            })
            .collect(),
        (Value::Array(expected), Value::Array(actual)) if expected.len() == actual.len() => {
            let pairs = expected.iter().zip(actual).enumerate();
            pairs.flat_map(|(index, (want, got))| differences(want, got, window, &format!("{at}.{index}"))).collect()
        }
        _ if same(expected, actual) => Vec::new(),
        _ => vec![wrong(at, expected, actual)],
    }
}

/// Like `differences`, but unexpected fields are differences too. Used for errors.
pub(crate) fn exactly(expected: &Value, actual: &Value, window: Option<Window>, at: &str) -> Vec<String> {
    let none = Map::new();
    let unexpected = actual.as_object().unwrap_or(&none).iter().filter(|(key, _)| expected.get(key).is_none());
    let unexpected = unexpected.map(|(key, value)| wrong(&format!("{at}.{key}"), &json!({ "$absent": true }), value));
    differences(expected, actual, window, at).into_iter().chain(unexpected).collect()
}

fn by_matcher(
    matcher: &str,
    fields: &Map<String, Value>,
    actual: &Value,
    window: Option<Window>,
    at: &str,
) -> Vec<String> {
    let argument = &fields[matcher];
    let text = actual.as_str();
    let fits = match matcher {
        "$any" => true,
        "$uuid" => text.is_some_and(|text| Uuid::try_parse(text).is_ok_and(|uuid| uuid.to_string() == text)),
        "$matches" => argument.as_str().and_then(|regex| Some(Regex::new(regex).ok()?.is_match(text?))) == Some(true),
        "$length" => actual.as_array().map(|items| json!(items.len())).as_ref() == Some(argument),
        "$between" => between(argument, actual.as_f64()) == Some(true),
        "$not" => !differences(argument, actual, window, at).is_empty(),
        "$one_of" => {
            argument.as_array().is_some_and(|all| all.iter().any(|one| differences(one, actual, window, at).is_empty()))
        }
        "$time" => in_time(argument, fields.get("from"), actual, window) == Some(true),
        "$each" => {
            return match actual.as_array() {
                Some(items) if !items.is_empty() => (0..)
                    .zip(items)
                    .flat_map(|(index, item): (usize, _)| differences(argument, item, window, &format!("{at}.{index}")))
                    .collect(),
                _ => vec![wrong(at, &Value::Object(fields.clone()), actual)],
            };
        }
        // `$absent` fails, because the value is present. An unknown matcher fails too.
        _ => false,
    };
    if fits { Vec::new() } else { vec![wrong(at, &Value::Object(fields.clone()), actual)] }
}

fn absent(expected: &Value, at: &str) -> Vec<String> {
    if expected.get("$absent").is_some() { Vec::new() } else { vec![format!("{at}: expected {expected}, is absent")] }
}

fn between(bounds: &Value, actual: Option<f64>) -> Option<bool> {
    Some((bounds[0].as_f64()?..=bounds[1].as_f64()?).contains(&actual?))
}

/// Whether a time is some seconds, or between two numbers of seconds, after the origin, or after the call without one.
fn in_time(seconds: &Value, origin: Option<&Value>, actual: &Value, window: Option<Window>) -> Option<bool> {
    let (minimum, maximum) = match seconds {
        Value::Array(bounds) => (bounds.first()?.as_i64()?, bounds.get(1)?.as_i64()?),
        _ => (seconds.as_i64()?, seconds.as_i64()?),
    };
    let (start, end) = match origin {
        Some(origin) => (time(origin)?, time(origin)?),
        None => window?,
    };
    let allowed = start + TimeDelta::seconds(minimum) - TOLERANCE..=end + TimeDelta::seconds(maximum) + TOLERANCE;
    Some(allowed.contains(&time(actual)?))
}

/// Parses an RFC 3339 time.
pub(crate) fn time(value: &Value) -> Option<DateTime<Utc>> {
    value.as_str()?.parse().ok()
}

/// Whether two values are equal. Numbers are compared by value, so 1 equals 1.0.
fn same(one: &Value, other: &Value) -> bool {
    one == other || one.as_f64().is_some_and(|one| Some(one) == other.as_f64())
}

fn wrong(at: &str, expected: &Value, actual: &Value) -> String {
    format!("{at}: expected {expected}, is {actual}")
}

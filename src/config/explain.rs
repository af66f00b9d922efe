//! What a parser's error says: which key, what is wrong, what would be right. Never the value, which may be a secret in
//! the wrong place.

use config::ConfigError as ParseError;

use super::load::Variable;

/// What a parse error says, without the value: it may be a secret in the wrong place.
pub(super) fn explain(error: ParseError, variables: &[Variable]) -> String {
    let (key, problem) = match error {
        ParseError::NotFound(key) => (key, "is missing; the reference file shows what it takes".to_owned()),
        ParseError::Type { key, expected, .. } => (key.unwrap_or_default(), must_be(expected)),
        ParseError::At { error, key, .. } => (key.unwrap_or_default(), error.to_string()),
        other => (String::new(), other.to_string()),
    };
    // The parser writes `callers[0]roles[0]`.
    let key = key.replace(']', "].").replace("..", ".");
    let key = key.trim_end_matches('.');
    let (key, problem) = match unknown_key(&problem) {
        Some((unknown, known)) if key.is_empty() => (unknown.to_owned(), known),
        Some((unknown, known)) => (format!("{key}.{unknown}"), known),
        None => (key.to_owned(), rephrase(&problem)),
    };
    let within = format!("{key}.");
    let variable = variables.iter().find(|variable| variable.key == key || variable.key.starts_with(&within));
    let place = variable.map(|variable| format!(" (environment variable {})", variable.name)).unwrap_or_default();
    format!("{key}: {problem}{place}")
}

/// Taken from serde's "unknown field `x`, expected one of `a`, `b`".
fn unknown_key(problem: &str) -> Option<(&str, String)> {
    let (unknown, known) = problem.strip_prefix("unknown field `")?.split_once('`')?;
    let known: Vec<&str> = known.split('`').skip(1).step_by(2).collect();
    Some((unknown, format!("there is no such key; the keys here are {}", known.join(", "))))
}

/// The parsers' words, with what would be right.
fn rephrase(problem: &str) -> String {
    if let Some((found, expected)) = problem.rsplit_once(", expected ")
        && found.starts_with("invalid ")
    {
        must_be(expected)
    } else if problem == "invalid socket address syntax" {
        must_be("an IP address and a port, such as 127.0.0.1:50051")
    } else if problem.contains("does not have variant constructor") {
        "has no such value; the reference file names them all".to_owned()
    } else {
        problem.to_owned()
    }
}

fn must_be(expected: &str) -> String {
    let expected = match expected {
        "a duration" => "a duration with its unit, such as \"90s\", \"10m\" or \"24h\"",
        "a boolean" => "true or false",
        "a sequence" | "an array" => "a list, such as [\"a\", \"b\"]",
        _ if expected.ends_with("integer") => "a whole number, not negative",
        _ if expected.starts_with("struct ") => "a section with keys of its own",
        other => other,
    };
    format!("must be {expected}")
}

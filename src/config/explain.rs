//! Rewords parse errors for operators: the key, the problem and a valid value. Never the configured value, because a
//! secret may stand at the wrong key.

use config::ConfigError as ParseError;

use super::environment::Variable;

/// The message for a parse error. It names the environment variable if one set the key.
pub(super) fn explain_parse_error(error: ParseError, variables: &[Variable]) -> String {
    let (key, problem) = match error {
        ParseError::NotFound(key) => (key, "is missing; the reference file shows what it takes".to_owned()),
        ParseError::Type { key, expected, .. } => (key.unwrap_or_default(), describe_expected(expected)),
        ParseError::At { error, key, .. } => (key.unwrap_or_default(), error.to_string()),
        other => (String::new(), other.to_string()),
    };
    // The parser writes `callers[0]roles[0]`; we write `callers[0].roles[0]`.
    let key = key.replace(']', "].").replace("..", ".");
    let key = key.trim_end_matches('.');
    let (key, problem) = match parse_unknown_key(&problem) {
        Some((unknown, known)) if key.is_empty() => (unknown.to_owned(), known),
        Some((unknown, known)) => (format!("{key}.{unknown}"), known),
        None => (key.to_owned(), reword_problem(&problem)),
    };
    let section_prefix = format!("{key}.");
    let variable = variables.iter().find(|variable| variable.key == key || variable.key.starts_with(&section_prefix));
    let source = variable.map(|variable| format!(" (environment variable {})", variable.name)).unwrap_or_default();
    format!("{key}: {problem}{source}")
}

/// Parses serde's message "unknown field `x`, expected one of `a`, `b`" into the unknown key and our message.
fn parse_unknown_key(problem: &str) -> Option<(&str, String)> {
    let (unknown, known) = problem.strip_prefix("unknown field `")?.split_once('`')?;
    let known: Vec<&str> = known.split('`').skip(1).step_by(2).collect();
    Some((unknown, format!("there is no such key; the keys here are {}", known.join(", "))))
}

/// Rewords a parser's message so that it says what a valid value is.
fn reword_problem(problem: &str) -> String {
    if let Some((found, expected)) = problem.rsplit_once(", expected ")
        && found.starts_with("invalid ")
    {
        describe_expected(expected)
    } else if problem == "invalid socket address syntax" {
        describe_expected("an IP address and a port, such as 127.0.0.1:50051")
    } else if problem.contains("does not have variant constructor") {
        "has no such value; the reference file names them all".to_owned()
    } else {
        problem.to_owned()
    }
}

/// "must be …", with an example where the parser's type name alone does not help.
fn describe_expected(expected: &str) -> String {
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

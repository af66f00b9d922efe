//! Reads the configuration: file, then environment, then the secrets' own files.

use std::ffi::OsString;
use std::fmt;
use std::path::Path;

use config::builder::DefaultState;
use config::{ConfigBuilder, ConfigError as ParseError, Value};
use serde::Deserialize as _;

use super::{Config, check, secret};

/// Before each environment variable's name; `__` parts sections and keys: `TEMPORARY_PIN__SERVER__ADDRESS`.
const PREFIX: &str = "TEMPORARY_PIN__";

/// Everything that is wrong with a configuration: each line names the key, what is wrong and what would be right.
#[derive(Debug, PartialEq, Eq)]
pub struct ConfigError(pub Vec<String>);

impl std::error::Error for ConfigError {}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the configuration is not valid:")?;
        self.0.iter().try_for_each(|problem| write!(f, "\n  {problem}"))
    }
}

impl Config {
    /// Reads and checks the configuration. Environment variables override the file; `RUST_LOG` is `telemetry.log`.
    pub fn load(
        file: Option<&Path>,
        environment: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<Self, ConfigError> {
        let mut builder = config::Config::builder();
        if let Some(path) = file {
            builder = builder.add_source(read(path).map_err(|problem| ConfigError(vec![problem]))?);
        }
        let (builder, variables) = override_from(environment, builder)?;
        let mut config: Self = builder
            .build()
            .and_then(config::Config::try_deserialize)
            .map_err(|error| ConfigError(vec![explain(error, &variables)]))?;
        let mut problems = secret::read_files(&mut config);
        problems.extend(check::problems(&config));
        if problems.is_empty() { Ok(config) } else { Err(ConfigError(problems)) }
    }
}

/// The file, parsed. The message of a syntax error leaves out the line itself, which may hold a secret.
fn read(path: &Path) -> Result<config::Config, String> {
    let shown = path.display();
    let text = std::fs::read_to_string(path)
        .map_err(|error| format!("{shown}: cannot be read: {error}; name a readable file with --config"))?;
    let table: toml::Table = toml::from_str(&text).map_err(|error| {
        let line = text[..error.span().map_or(0, |span| span.start)].lines().count().max(1);
        format!("{shown}: line {line} is not valid TOML: {}", error.message())
    })?;
    config::Config::try_from(&table).map_err(|error| format!("{shown}: {error}"))
}

/// Takes the values from the environment. Each is text, from which the key's type is parsed; only one that reads as a
/// TOML list or table becomes that (`["spiffe://…"]`, `{ times = 3, per = "24h" }`).
fn override_from(
    environment: impl IntoIterator<Item = (OsString, OsString)>,
    mut builder: ConfigBuilder<DefaultState>,
) -> Result<(ConfigBuilder<DefaultState>, Vec<(String, String)>), ConfigError> {
    let mut variables = Vec::new();
    let mut problems = Vec::new();
    for (name, value) in environment {
        let Some(name) = name.to_str() else { continue };
        let key = match name.strip_prefix(PREFIX) {
            Some(key) => key.to_lowercase().replace("__", "."),
            None if name == "RUST_LOG" => "telemetry.log".to_owned(),
            None => continue,
        };
        let Some(value) = value.to_str() else {
            problems.push(format!("{key}: the environment variable {name} must be UTF-8"));
            continue;
        };
        match builder.clone().set_override(&key, parse(value)) {
            Ok(extended) => builder = extended,
            Err(_) => problems.push(format!("{name}: is no key; write {PREFIX}SECTION__KEY, as in the reference file")),
        }
        variables.push((key, name.to_owned()));
    }
    if problems.is_empty() { Ok((builder, variables)) } else { Err(ConfigError(problems)) }
}

fn parse(value: &str) -> Value {
    value
        .starts_with(['[', '{'])
        .then(|| toml::Value::deserialize(toml::de::ValueDeserializer::parse(value).ok()?).ok()?.try_into().ok())
        .flatten()
        .unwrap_or_else(|| Value::from(value))
}

/// What a parse error says, without the value: it may be a secret in the wrong place.
fn explain(error: ParseError, variables: &[(String, String)]) -> String {
    let (key, problem) = match error {
        ParseError::NotFound(key) => (key, "is missing".to_owned()),
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
    let variable = variables.iter().find(|(set, _)| *set == key || set.starts_with(&format!("{key}.")));
    let place = variable.map(|(_, name)| format!(" (environment variable {name})")).unwrap_or_default();
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

//! Reads the configuration: file, then environment, then the secrets' own files.

use std::ffi::OsString;
use std::fmt;
use std::path::Path;

use config::{File, FileFormat, Value};
use serde::Deserialize as _;

use super::explain::explain;
use super::{Config, check, secret};
use crate::keys::KeyRing;

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
        let one = |problem| ConfigError(vec![problem]);
        let mut builder = config::Config::builder();
        if let Some(path) = file {
            builder = builder.add_source(File::from_str(&read(path).map_err(one)?, FileFormat::Toml));
        }
        let variables = variables(environment).map_err(one)?;
        for Variable { name, key, value } in &variables {
            builder = builder
                .set_override(key, value.clone())
                .map_err(|_| one(format!("{name}: names no key; write {PREFIX}SECTION__KEY")))?;
        }
        let mut config: Self = builder
            .build()
            .and_then(config::Config::try_deserialize)
            .map_err(|error| one(explain(error, &variables)))?;
        let mut problems = secret::read_files(&mut config);
        problems.extend(check::problems(&config));
        if problems.is_empty() { Ok(config) } else { Err(ConfigError(problems)) }
    }

    /// Reads the key ring that `keys.file` names.
    pub fn key_ring(&self) -> Result<KeyRing, ConfigError> {
        KeyRing::load(&self.keys.file).map_err(|error| ConfigError(vec![format!("keys.file: {error:#}")]))
    }
}

/// The file's text, which is TOML. The message of a syntax error leaves out the line itself, which may hold a secret.
fn read(path: &Path) -> Result<String, String> {
    let shown = path.display();
    let text = std::fs::read_to_string(path)
        .map_err(|error| format!("{shown}: cannot be read: {error}; name a readable file with --config"))?;
    match toml::from_str::<toml::Table>(&text) {
        Ok(_) => Ok(text),
        Err(error) => {
            let line = 1 + text[..error.span().map_or(0, |span| span.start)].matches('\n').count();
            Err(format!("{shown}: line {line} is not valid TOML: {}", error.message()))
        }
    }
}

/// An environment variable that sets a key.
pub(super) struct Variable {
    pub(super) name: String,
    pub(super) key: String,
    value: Value,
}

fn variables(environment: impl IntoIterator<Item = (OsString, OsString)>) -> Result<Vec<Variable>, String> {
    let mut variables = Vec::new();
    for (name, value) in environment {
        let Ok(name) = name.into_string() else { continue };
        let key = match name.strip_prefix(PREFIX) {
            Some(key) => key.to_lowercase().replace("__", "."),
            None if name == "RUST_LOG" => "telemetry.log".to_owned(),
            None => continue,
        };
        let value = value.to_str().ok_or_else(|| format!("{key}: the environment variable {name} must be UTF-8"))?;
        variables.push(Variable { value: parse(value), name, key });
    }
    Ok(variables)
}

/// A variable's value is text, which is read as what its key needs. Only what reads as a TOML list or table is that
/// from the start: `["spiffe://…"]`, `{ times = 3, per = "24h" }`.
fn parse(value: &str) -> Value {
    value
        .starts_with(['[', '{'])
        .then(|| toml::Value::deserialize(toml::de::ValueDeserializer::parse(value).ok()?).ok()?.try_into().ok())
        .flatten()
        .unwrap_or_else(|| Value::from(value))
}

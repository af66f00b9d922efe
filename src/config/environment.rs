//! Environment variables that set configuration keys.

use std::ffi::OsString;

use config::Value;
use serde::Deserialize as _;

/// Prefix of every variable. `__` separates sections and keys: `TEMPORARY_PIN__SERVER__ADDRESS` sets `server.address`.
pub(super) const VARIABLE_PREFIX: &str = "TEMPORARY_PIN__";

/// The usual variable for log filters. It sets `telemetry.log`.
const LOG_VARIABLE: &str = "RUST_LOG";

/// An environment variable that sets a configuration key.
pub(super) struct Variable {
    pub(super) name: String,
    pub(super) key: String,
    pub(super) value: Value,
}

/// Reads the variables that set a key and ignores all others. The error is a message for the operator.
pub(super) fn read_variables(
    environment: impl IntoIterator<Item = (OsString, OsString)>,
) -> Result<Vec<Variable>, String> {
    let mut variables = Vec::new();
    for (name, value) in environment {
        let Ok(name) = name.into_string() else { continue };
        let key = match name.strip_prefix(VARIABLE_PREFIX) {
            Some(key) => key.to_lowercase().replace("__", "."),
            None if name == LOG_VARIABLE => "telemetry.log".to_owned(),
            None => continue,
        };
        let value = value.to_str().ok_or_else(|| format!("{key}: the environment variable {name} must be UTF-8"))?;
        variables.push(Variable { value: parse_value(value), name, key });
    }
    Ok(variables)
}

/// Parses a TOML list or table, such as `["spiffe://…"]` or `{ times = 3, per = "24h" }`. Every other value stays text,
/// and the deserializer converts it to the type of its key.
fn parse_value(value: &str) -> Value {
    value
        .starts_with(['[', '{'])
        .then(|| toml::Value::deserialize(toml::de::ValueDeserializer::parse(value).ok()?).ok()?.try_into().ok())
        .flatten()
        .unwrap_or_else(|| Value::from(value))
}

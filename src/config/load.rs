//! Loads the configuration: first the file, then environment variables, then the files that hold secrets.

use std::ffi::OsString;
use std::fmt;
use std::path::Path;

use config::{File, FileFormat};

use super::environment::{VARIABLE_PREFIX, Variable, read_variables};
use super::explain::explain_parse_error;
use super::{Config, check, secret};
use crate::keys::KeyRing;

/// All problems of a configuration. Each line names the key, the problem and a valid value.
#[derive(Debug, PartialEq, Eq)]
pub struct ConfigError(pub Vec<String>);

impl std::error::Error for ConfigError {}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the configuration is not valid:")?;
        self.0.iter().try_for_each(|problem| write!(f, "\n  {problem}"))
    }
}

impl From<String> for ConfigError {
    fn from(problem: String) -> Self {
        Self(vec![problem])
    }
}

impl Config {
    /// Loads and checks the configuration. Environment variables override the file; `RUST_LOG` sets `telemetry.log`.
    pub fn load(
        file: Option<&Path>,
        environment: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<Self, ConfigError> {
        let mut builder = config::Config::builder();
        if let Some(path) = file {
            builder = builder.add_source(File::from_str(&read_toml_file(path)?, FileFormat::Toml));
        }
        let variables = read_variables(environment)?;
        for Variable { name, key, value } in &variables {
            builder = builder
                .set_override(key, value.clone())
                .map_err(|_| format!("{name}: names no key; write {VARIABLE_PREFIX}SECTION__KEY"))?;
        }
        let mut config: Self = builder
            .build()
            .and_then(config::Config::try_deserialize)
            .map_err(|error| explain_parse_error(error, &variables))?;
        let verification = &mut config.rules.verification;
        if let Some(issuers) = &verification.document_issuers {
            verification.documents.apply_document_issuers(issuers);
        }
        let mut problems = secret::read_secret_files(&mut config);
        problems.extend(check::find_problems(&config));
        if problems.is_empty() { Ok(config) } else { Err(ConfigError(problems)) }
    }

    /// Loads the key ring from the file `keys.file`.
    pub fn key_ring(&self) -> Result<KeyRing, ConfigError> {
        KeyRing::load(&self.keys.file).map_err(|error| ConfigError(vec![format!("keys.file: {error:#}")]))
    }
}

/// Reads a TOML file. The message of a syntax error names the line but does not show it: it may hold a secret.
fn read_toml_file(path: &Path) -> Result<String, String> {
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

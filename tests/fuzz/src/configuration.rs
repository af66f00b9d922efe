//! The configuration.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::process;
use std::thread;

use temporary_pin::config::Config;

use super::keys::values;
use super::text;

/// Marks a secret in the input.
const SECRET: &str = "hunter2-7f3a-canary";

/// Keys that hold secrets, and their environment variables.
const SECRETS: [(&str, &str); 3] = [
    ("postgres.url", "TEMPORARY_PIN__POSTGRES__URL"),
    ("redis.url", "TEMPORARY_PIN__REDIS__URL"),
    ("sms.gateway.token", "TEMPORARY_PIN__SMS__GATEWAY__TOKEN"),
];

/// Input: a file and, after a line `---`, environment variables as `NAME=value`. `$SECRET` stands for a secret.
///
/// Every line of a rejection names a key or a position. Neither the rejection nor `Debug` shows a secret.
pub fn configuration(data: &[u8]) -> bool {
    let Some(text) = text(data) else { return false };
    let text = text.replace("$SECRET", SECRET);
    let (file, environment) = text.split_once("\n---\n").unwrap_or((&text, ""));
    let variables = environment.lines().filter_map(|line| line.split_once('='));
    let path = env::temp_dir().join(format!("fuzz-{}-{:?}.toml", process::id(), thread::current().id()));
    fs::write(&path, file).expect("a directory for temporary files");
    let outcome =
        Config::load(Some(&path), variables.clone().map(|(name, value)| (OsString::from(name), OsString::from(value))));
    fs::remove_file(&path).expect("the file just written");

    let told = match &outcome {
        Ok(config) => format!("{config:?}"),
        Err(error) => {
            assert!(!error.0.is_empty() && error.0.iter().all(|problem| problem.contains(": ")), "{error}");
            format!("{error} {error:?}")
        }
    };
    if secret_is_in_its_place(file, variables) {
        assert!(!told.contains(SECRET), "{told}");
    }
    // The files of certificates and key ring do not exist.
    let is_a_file = |problem: &String| problem.starts_with("server.tls") || problem.starts_with("keys.file");
    outcome.map_or_else(|error| error.0.iter().all(is_a_file), |_| true)
}

/// Whether the secret appears only in keys that hold secrets.
fn secret_is_in_its_place<'a>(file: &str, variables: impl Iterator<Item = (&'a str, &'a str)>) -> bool {
    let mut in_place = 0;
    if let Ok(table) = file.parse::<toml::Table>() {
        for (key, _) in SECRETS {
            let value =
                key.split('.').try_fold(&toml::Value::Table(table.clone()), |value, part| value.get(part)).cloned();
            if let Some(value @ toml::Value::String(_)) = value {
                values(&value, &mut |text| in_place += text.matches(SECRET).count());
            }
        }
    }
    let misplaced = variables.filter(|(name, value)| {
        let is_secret = SECRETS.iter().any(|(_, variable)| variable == name);
        name.to_lowercase().contains(SECRET) || (value.contains(SECRET) && !is_secret)
    });
    misplaced.count() == 0 && in_place == file.matches(SECRET).count()
}

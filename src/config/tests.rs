//! The reference file against the code.

use super::Config;

const REFERENCE: &str = include_str!("../../deploy/temporary-pin.toml");

/// The reference with its examples made real: `#key` and `#[table]`, while prose has a space after `#`.
fn with_examples() -> String {
    let uncomment = |line: &str| match line.strip_prefix('#') {
        Some(example) if !example.is_empty() && !example.starts_with(' ') => format!("{example}\n"),
        _ => format!("{line}\n"),
    };
    REFERENCE.lines().map(uncomment).collect()
}

#[test]
fn the_reference_shows_the_defaults() {
    let reference: Config = toml::from_str(REFERENCE).unwrap();
    assert_eq!(format!("{reference:#?}"), format!("{:#?}", Config::default()));
}

#[test]
fn the_reference_names_every_key() {
    let reference: toml::Table = toml::from_str(&with_examples()).unwrap();
    toml::from_str::<Config>(&with_examples()).unwrap();
    let mut path = Vec::new();
    let missing = missing_keys(&mut path, &toml::Value::Table(reference));
    assert!(missing.is_empty(), "not in the reference: {missing:?}");
}

/// The keys of `Config` at `path` and below that `shown` does not have.
fn missing_keys(path: &mut Vec<String>, shown: &toml::Value) -> Vec<String> {
    let mut missing = Vec::new();
    for key in keys_at(path) {
        path.push(key.clone());
        match shown.get(&key) {
            None => missing.push(path.join(".")),
            Some(toml::Value::Array(elements)) if elements.first().is_some_and(toml::Value::is_table) => {
                path.push("[]".into());
                missing.extend(missing_keys(path, &elements[0]));
                path.pop();
            }
            Some(value) => missing.extend(missing_keys(path, value)),
        }
        path.pop();
    }
    missing
}

/// The keys that `Config` knows at `path`, as its parser names them when it refuses another one. None for a value.
fn keys_at(path: &[String]) -> Vec<String> {
    let mut value = toml::Value::Table([("?".to_owned(), true.into())].into_iter().collect());
    for segment in path.iter().rev() {
        value = match segment.as_str() {
            "[]" => toml::Value::Array(vec![value]),
            key => toml::Value::Table([(key.to_owned(), value)].into_iter().collect()),
        };
    }
    let error = value.try_into::<Config>().unwrap_err();
    match error.message().split_once("unknown field `?`, expected ") {
        Some((_, known)) => known.split('`').skip(1).step_by(2).map(str::to_owned).collect(),
        None => Vec::new(),
    }
}

#[test]
fn the_keys_are_found() {
    assert!(keys_at(&[]).contains(&"callers".to_owned()));
    assert_eq!(keys_at(&["callers".into(), "[]".into()]), ["name", "sans", "roles"]);
    assert_eq!(keys_at(&["server".into(), "tls".into()]), ["certificate", "key", "client_ca"]);
    assert!(keys_at(&["server".into(), "address".into()]).is_empty());
}

#[test]
fn secrets_are_not_shown() {
    let config: Config = toml::from_str(
        "postgres.url = 'postgres://me:hunter2@host/db'\nredis.url = 'redis://:hunter2@host'\n\
         sms.gateway.token = 'hunter2'",
    )
    .unwrap();
    assert!(!format!("{config:?}").contains("hunter2"));
}

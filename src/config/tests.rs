//! Compares the reference file `deploy/temporary-pin.toml` with the code.

use super::Config;

const REFERENCE: &str = include_str!("../../deploy/temporary-pin.toml");

/// The reference with its examples uncommented: `#key` and `#[table]`. Prose has a space after `#`.
fn reference_with_examples() -> String {
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
    let reference: toml::Table = toml::from_str(&reference_with_examples()).unwrap();
    toml::from_str::<Config>(&reference_with_examples()).unwrap();
    let mut path = Vec::new();
    let missing = missing_keys(&mut path, &toml::Value::Table(reference));
    assert!(missing.is_empty(), "not in the reference: {missing:?}");
}

/// The keys of `Config` at `path` and below that are not in `reference`.
fn missing_keys(path: &mut Vec<String>, reference: &toml::Value) -> Vec<String> {
    let mut missing = Vec::new();
    for key in keys_at(path) {
        path.push(key.clone());
        match reference.get(&key) {
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

/// The keys of `Config` at `path`, taken from the parser's error for an unknown key. Empty if `path` is a value.
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
fn keys_at_finds_the_keys_of_a_section() {
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

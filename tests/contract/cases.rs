//! Reads the cases and fragments from their files.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::{Map, Value};

pub(crate) struct Cases {
    pub(crate) by_id: BTreeMap<String, Value>,
    pub(crate) fragments: Map<String, Value>,
}

impl Cases {
    /// Reads all cases whose id contains `only`, and all fragments.
    pub(crate) fn load(only: &str) -> Self {
        let home = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/contract");
        let mut by_id = BTreeMap::new();
        for entry in fs::read_dir(home.join("cases")).expect("the cases are there") {
            for (id, case) in read(&entry.expect("the cases can be listed").path(), "cases") {
                assert!(by_id.insert(id.clone(), case).is_none(), "there are two cases {id}");
            }
        }
        by_id.retain(|id, _| id.contains(only));
        Self { by_id, fragments: read(&home.join("fragments.yaml"), "fragments") }
    }
}

fn read(file: &Path, part: &str) -> Map<String, Value> {
    let text = fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let mut value: Value = serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    match value[part].take() {
        Value::Object(map) => map,
        other => panic!("{}: {part}: is {other}", file.display()),
    }
}

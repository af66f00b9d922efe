//! Checks the properties of the fuzz targets on the committed corpus, `tests/fuzz/corpus/<target>/`: seeds and past findings.
//! `deploy/local/fuzz` does the fuzzing; see docs/fuzzing.md.

#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use fuzz_properties::TARGETS;

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz")
}

fn corpus(target: &str) -> Vec<PathBuf> {
    let directory = fuzz().join("corpus").join(target);
    let entries = fs::read_dir(&directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    entries.map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn every_property_holds_on_its_corpus() {
    for (target, property) in TARGETS {
        let files = corpus(target);
        assert!(files.len() >= 3, "{target} has no corpus");
        let taken = files.iter().filter(|file| {
            println!("{}", file.display()); // shown if a property fails
            property(&fs::read(file).unwrap())
        });
        assert!(taken.count() > 0, "{target}: the parser accepts no file of the corpus");
        property(b"");
        property(&[0xff; 100]);
    }
}

#[test]
fn every_target_has_a_property_a_corpus_and_a_place_in_the_manifest() {
    let named: BTreeSet<String> = TARGETS.iter().map(|(target, _)| (*target).to_owned()).collect();
    let in_directory = |name: &str| -> BTreeSet<String> {
        let entries = fs::read_dir(fuzz().join(name)).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    };
    let programs = in_directory("targets");
    assert_eq!(
        programs.iter().filter_map(|file| Some(file.strip_suffix(".rs")?.to_owned())).collect::<BTreeSet<_>>(),
        named
    );
    assert_eq!(in_directory("corpus"), named);
    let manifest: toml::Table = fs::read_to_string(fuzz().join("targets/Cargo.toml")).unwrap().parse().unwrap();
    let programs = manifest["bin"].as_array().unwrap().iter();
    assert_eq!(programs.map(|program| program["name"].as_str().unwrap().to_owned()).collect::<BTreeSet<_>>(), named);
    for target in &named {
        let program = fs::read_to_string(fuzz().join(format!("targets/{target}.rs"))).unwrap();
        assert!(program.contains(&format!("fuzz_properties::{target}(data)")), "{program}");
    }
}

//! The file of the key ring.

use rand::RngExt as _;
use rstest::rstest;

use super::*;
use crate::domain::person::MitidUuid;

#[test]
fn a_generated_ring_parses_and_has_new_keys_each_time() {
    let (first, ring) = generated();
    let (second, other) = generated();
    assert_ne!(*first, *second);
    let person = MitidUuid(REQUEST);
    assert_ne!(ring.person_key(person), other.person_key(person));
    assert_eq!(other.open(b"", &ring.seal(b"", b"value")), Err(OpenError));
}

#[test]
fn each_purpose_has_a_key_of_its_own() {
    let (text, _) = generated();
    let mut keys: Vec<&str> = text.lines().filter(|line| line.starts_with("1 = ")).collect();
    assert_eq!(keys.len(), 4);
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), 4);
}

/// Each case breaks one thing in a valid file. `SECRET` stands for a key that was written in the wrong place.
#[rstest]
#[case::unknown_purpose("[sealing]", "[ceiling]", "ceiling: there is no such purpose")]
#[case::unknown_purpose_added("[sealing]", "[other]\n1 = \"SECRET\"\n[sealing]", "other: there is no such purpose")]
#[case::no_audit("[audit]\n1 = \"0\"\n", "", "audit: needs at least one key: `temporary-pin keys add --ring FILE")]
#[case::no_table("[pseudonym]\n1 = \"0\"", "pseudonym = \"SECRET\"", "pseudonym: must be a table with a key")]
#[case::no_key("[pseudonym]\n1 = \"0\"", "[pseudonym]", "pseudonym: needs at least one key")]
#[case::no_number("[verifier]\n1", "[verifier]\nSECRET", "verifier: each key id must be a whole number")]
#[case::no_base64("[verifier]\n1 = \"0\"", "[verifier]\n1 = \"SECRET!\"", "verifier.1: must be the base64 of 32 bytes")]
#[case::too_short("[sealing]\n1 = \"0\"", "[sealing]\n1 = \"SECRET==\"", "sealing.1: must be the base64 of 32 bytes")]
#[case::no_text("[sealing]\n1 = \"0\"", "[sealing]\n1 = 12345678", "sealing.1: must be the base64 of 32 bytes")]
#[case::no_toml("[sealing]\n1 = \"0\"", "[sealing]\n1 = SECRET", "line 6: not valid TOML")]
#[case::unclosed("[sealing]\n1 = \"0\"", "[sealing]\n1 = \"SECRET", "line 6: not valid TOML")]
#[case::one_id_twice("[sealing]\n1 = \"0\"", "[sealing]\n1 = \"0\"\n1 = \"SECRET\"", "line 7: not valid TOML")]
#[case::active_unknown("[audit]\n", "[audit]\nactive = 12345678\n", "audit.active: must be the id of one of its keys")]
#[case::active_text("[audit]\n", "[audit]\nactive = \"SECRET\"\n", "audit.active: must be the id of one of its keys")]
#[case::one_id_in_two_forms("[sealing]\n1 = \"0\"", "[sealing]\n1 = \"0\"\n01 = \"0\"", "the key id is given twice")]
fn an_error_names_the_fault_and_never_prints_a_key(#[case] valid: &str, #[case] broken: &str, #[case] message: &str) {
    let file = "[pseudonym]\n1 = \"0\"\n[verifier]\n1 = \"0\"\n[sealing]\n1 = \"0\"\n[audit]\n1 = \"0\"\n";
    let text = file.replace(valid, broken);
    assert_ne!(text, file);
    let error = format!("{:#}", KeyRing::parse(&text.replace("\"0\"", &format!("\"{}\"", key(1)))).err().unwrap());
    assert!(error.contains(message), "{error}");
    for secret in ["SECRET", "12345678", &key(1)] {
        assert!(!error.contains(secret), "{error}");
    }
}

#[test]
fn a_missing_or_invalid_file_is_named() {
    let path = std::env::temp_dir().join(format!("key-ring-{:016x}.toml", random::secure().random::<u64>()));
    let missing = format!("{:#}", KeyRing::load(&path).err().unwrap());
    assert!(missing.contains(path.to_str().unwrap()), "{missing}");

    std::fs::write(&path, "[pseudonym]\n").unwrap();
    let invalid = format!("{:#}", KeyRing::load(&path).err().unwrap());
    assert!(invalid.contains(path.to_str().unwrap()), "{invalid}");

    std::fs::write(&path, &*generate(&mut random::secure())).unwrap();
    assert!(KeyRing::load(&path).is_ok());
    std::fs::remove_file(path).unwrap();
}

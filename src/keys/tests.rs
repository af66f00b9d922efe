//! The key ring: what it makes it can read, and nothing else can.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use rstest::rstest;

use super::*;
use crate::random;

fn generated() -> (Zeroizing<String>, KeyRing) {
    let text = generate(&mut random::secure());
    let ring = KeyRing::parse(&text).unwrap();
    (text, ring)
}

/// The text of a key, all of one byte.
fn key(byte: u8) -> String {
    STANDARD.encode([byte; KEY_LENGTH])
}

/// A ring whose verifier, sealing and audit keys are those with these ids, each of them all of that one byte.
fn ring(ids: &[u8]) -> KeyRing {
    let keys: String = ids.iter().map(|id| format!("{id} = \"{}\"\n", key(*id))).collect();
    let text = format!("[pseudonym]\n1 = \"{}\"\n[verifier]\n{keys}[sealing]\n{keys}[audit]\n{keys}", key(0));
    KeyRing::parse(&text).unwrap()
}

fn pin(digits: &str) -> Pin {
    Pin::parse(digits).unwrap()
}

const REQUEST: Uuid = Uuid::from_u128(1);
const OTHER_REQUEST: Uuid = Uuid::from_u128(2);

#[test]
fn what_is_generated_parses_and_is_new_each_time() {
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

proptest! {
    #[test]
    fn what_is_sealed_opens_with_the_same_context_only(value: Vec<u8>, context: Vec<u8>, other: Vec<u8>) {
        let ring = ring(&[1]);
        let sealed = ring.seal(&context, &value);
        prop_assert_eq!(&ring.open(&context, &sealed).unwrap()[..], &value);
        if other != context {
            prop_assert_eq!(ring.open(&other, &sealed), Err(OpenError));
        }
    }

    #[test]
    fn any_bytes_open_or_are_refused(bytes: Vec<u8>) {
        prop_assert_eq!(ring(&[1]).open(b"", &bytes), Err(OpenError));
    }
}

#[test]
fn sealing_twice_shows_nothing_in_common_but_the_key_id() {
    let ring = ring(&[1]);
    let (first, second) = (ring.seal(b"context", b"12345678"), ring.seal(b"context", b"12345678"));
    assert_ne!(first[4..], second[4..]);
    assert!(!first.windows(8).any(|window| window == b"12345678"));
}

#[test]
fn a_sealed_value_opens_whole_and_unchanged_or_not_at_all() {
    let ring = ring(&[1]);
    let sealed = ring.seal(b"context", b"12345678");
    for length in 0..sealed.len() {
        assert_eq!(ring.open(b"context", &sealed[..length]), Err(OpenError), "cut to {length}");
    }
    for position in 0..sealed.len() {
        let mut damaged = sealed.clone();
        damaged[position] ^= 1;
        assert_eq!(ring.open(b"context", &damaged), Err(OpenError), "changed at {position}");
    }
    assert_eq!(ring.open(b"context", &[sealed.as_slice(), &[0]].concat()), Err(OpenError));
}

#[test]
fn r3_a_pin_matches_its_own_verifier_only() {
    let ring = ring(&[1]);
    let verifier = ring.make_pin_verifier(REQUEST, &pin("01234567"), &mut random::secure());
    assert!(ring.pin_matches(REQUEST, &pin("01234567"), &verifier));
    assert!(!ring.pin_matches(REQUEST, &pin("01234568"), &verifier));
    assert!(!ring.pin_matches(OTHER_REQUEST, &pin("01234567"), &verifier));
    let other_salt = PinVerifier { salt: [7; 16], ..verifier.clone() };
    assert!(!ring.pin_matches(REQUEST, &pin("01234567"), &other_salt));
    let other_mac = PinVerifier { mac: [7; 32], ..verifier };
    assert!(!ring.pin_matches(REQUEST, &pin("01234567"), &other_mac));
}

#[test]
fn equal_pins_have_different_verifiers() {
    let ring = ring(&[1]);
    let first = ring.make_pin_verifier(REQUEST, &pin("00000000"), &mut random::secure());
    let second = ring.make_pin_verifier(REQUEST, &pin("00000000"), &mut random::secure());
    assert_ne!((first.salt, first.mac), (second.salt, second.mac));
}

/// Ids count as numbers: as texts, 10 comes before 9.
#[test]
fn an_added_key_makes_what_is_new_and_the_old_one_still_reads_what_is_old() {
    let (before, after, removed) = (ring(&[9]), ring(&[9, 10]), ring(&[10]));
    let old_seal = before.seal(b"context", b"old");
    let old_verifier = before.make_pin_verifier(REQUEST, &pin("01234567"), &mut random::secure());
    assert_eq!(&after.open(b"context", &old_seal).unwrap()[..], b"old");
    assert!(after.pin_matches(REQUEST, &pin("01234567"), &old_verifier));

    let new_seal = after.seal(b"context", b"new");
    let new_verifier = after.make_pin_verifier(REQUEST, &pin("01234567"), &mut random::secure());
    assert_eq!(new_seal[..4], 10_i32.to_be_bytes());
    assert_eq!((old_verifier.key_id, new_verifier.key_id), (9, 10));

    assert_eq!(&removed.open(b"context", &new_seal).unwrap()[..], b"new");
    assert!(removed.pin_matches(REQUEST, &pin("01234567"), &new_verifier));
    assert_eq!(removed.open(b"context", &old_seal), Err(OpenError));
    assert!(!removed.pin_matches(REQUEST, &pin("01234567"), &old_verifier));
}

#[test]
fn an_audit_mac_is_of_its_bytes_and_its_key() {
    let (before, after, removed) = (ring(&[9]), ring(&[9, 10]), ring(&[10]));
    let (key_id, mac) = before.audit_mac(b"rows");
    assert_eq!(key_id, 9);
    assert!(after.audit_mac_matches(key_id, b"rows", &mac));
    assert!(!after.audit_mac_matches(key_id, b"other rows", &mac));
    assert!(!after.audit_mac_matches(10, b"rows", &mac));
    assert!(!after.audit_mac_matches(key_id, b"rows", &mac[..31]));
    assert!(!removed.audit_mac_matches(key_id, b"rows", &mac));
    assert_eq!(after.audit_mac(b"rows").0, 10);
}

/// A key is distributed before it is used: every instance knows it when the first one makes something with it.
#[test]
fn an_added_key_is_not_used_before_it_is_active() {
    let mut file = RingFile::generate(&mut random::secure());
    let read = |file: &RingFile| KeyRing::parse(&file.to_text()).unwrap();
    let made_with = |ring: &KeyRing| {
        let sealed = ring.seal(b"", b"value")[..4].try_into().unwrap();
        let verifier = ring.make_pin_verifier(REQUEST, &pin("01234567"), &mut random::secure());
        (i32::from_be_bytes(sealed), verifier.key_id, ring.audit_mac(b"").0)
    };
    let rotated = [KeyPurpose::Verifier, KeyPurpose::Sealing, KeyPurpose::Audit];
    for purpose in rotated {
        assert_eq!(file.add(purpose, false, &mut random::secure()), 2);
    }
    let knows = read(&file);
    assert_eq!(made_with(&knows), (1, 1, 1));

    for purpose in rotated {
        file.activate(purpose, 2).unwrap();
    }
    let uses = read(&file);
    assert_eq!(made_with(&uses), (2, 2, 2));
    assert!(knows.open(b"", &uses.seal(b"", b"value")).is_ok());
    assert!(uses.open(b"", &knows.seal(b"", b"value")).is_ok());

    assert_eq!(file.activate(KeyPurpose::Audit, 3).unwrap_err().to_string(), "audit.3: there is no such key");
    let listed: Vec<_> = file.list().filter(|(purpose, ..)| *purpose == KeyPurpose::Audit).collect();
    assert_eq!(listed, [(KeyPurpose::Audit, 1, false), (KeyPurpose::Audit, 2, true)]);
    assert_eq!(file.add(KeyPurpose::Audit, true, &mut random::secure()), 3);
    assert_eq!(made_with(&read(&file)).2, 3);
}

#[test]
fn a_pseudonym_is_the_same_each_time_and_differs_by_value_and_by_purpose() {
    let ring = ring(&[1]);
    let cpr = CprNumber::parse("0101701234").unwrap();
    let person = MitidUuid(REQUEST);
    assert_eq!(ring.person_key(person), ring.person_key(person));
    assert_ne!(ring.person_key(person), ring.person_key(MitidUuid(OTHER_REQUEST)));
    // The very same bytes, for each purpose there is.
    let digits = cpr.digits().as_bytes();
    let mut pseudonyms = vec![
        ring.person_key_by_cpr(&cpr).0,
        ring.keyed_digest("mobile", digits),
        ring.keyed_digest("agent", digits),
        ring.keyed_digest("person.mitid", digits),
        ring.keyed_digest("nonce", digits),
    ];
    pseudonyms.sort_unstable();
    pseudonyms.dedup();
    assert_eq!(pseudonyms.len(), 5);
    // Nor does moving a byte from the purpose to the value make the same.
    assert_ne!(ring.keyed_digest("non", b"ce"), ring.keyed_digest("nonce", b""));
}

#[test]
fn pseudonym_keys_are_layers() {
    let rest = format!("[verifier]\n1 = \"{0}\"\n[sealing]\n1 = \"{0}\"\n[audit]\n1 = \"{0}\"\n", key(0));
    let with = |keys: &str| KeyRing::parse(&format!("[pseudonym]\n{keys}{rest}"));
    let lines = [1, 2, 3].map(|id| format!("{id} = \"{}\"\n", key(id)));
    let one = with(&lines[0]).unwrap();
    let three = with(&lines.concat()).unwrap();
    let two_of_three = with(&(lines.concat() + "active = 2\n")).unwrap();
    assert_eq!([&one, &two_of_three, &three].map(KeyRing::pseudonym_key_id), [1, 2, 3]);

    let person = MitidUuid(REQUEST);
    let [first, second, third] = [&one, &two_of_three, &three].map(|ring| ring.person_key(person).0);
    assert!(first != second && second != third && first != third);
    assert_eq!(three.person_keys_ever(person), [third, second, first].map(PersonKey));
    assert_eq!(two_of_three.person_keys_ever(person), [second, first].map(PersonKey));
    assert_eq!(two_of_three.rekey_pseudonym(1, first), second);
    assert_eq!(three.rekey_pseudonym(1, first), third);
    assert_eq!(three.rekey_pseudonym(2, second), third);
    assert_eq!(three.rekey_pseudonym(3, third), third);
    // No layer can be left out, nor be another.
    let error = with(&lines[1..].concat()).err().unwrap().to_string();
    assert_eq!(error, "pseudonym.1: is missing; from 1 on every one is needed (docs/keys.md)");
    let other = with(&format!("1 = \"{}\"\n{}", key(9), lines[1])).unwrap();
    assert_ne!(other.person_key(person).0, second);
}

/// What a running process takes: more keys, and another active one, but for pseudonyms.
#[test]
fn a_ring_replaces_one_that_it_can_stand_in_for() {
    let check = |old: &str, new: &str| KeyRing::parse(new).unwrap().check_can_replace(&KeyRing::parse(old).unwrap());
    let mut file = RingFile::generate(&mut random::secure());
    let old = file.to_text();
    for purpose in KeyPurpose::ALL {
        file.add(purpose, false, &mut random::secure());
    }
    let more = file.to_text();
    for purpose in [KeyPurpose::Verifier, KeyPurpose::Sealing, KeyPurpose::Audit] {
        file.activate(purpose, 2).unwrap();
    }
    let active = file.to_text();
    check(&old, &old).unwrap();
    check(&old, &more).unwrap();
    check(&more, &active).unwrap();
    check(&active, &more).unwrap();

    let error = check(&more, &old).unwrap_err().to_string();
    assert_eq!(error, "pseudonym.2: is missing; a key is taken out by a restart");
    let error = check(&old, &generate(&mut random::secure())).unwrap_err().to_string();
    assert_eq!(error, "pseudonym.1: is another key than the one that serves");
    file.activate(KeyPurpose::Pseudonym, 2).unwrap();
    let error = check(&active, &file.to_text()).unwrap_err().to_string();
    assert!(error.starts_with("pseudonym.active: is 2, and 1 serves; stop the service"), "{error}");
}

#[test]
fn an_agent_is_told_apart_by_issuer_and_subject() {
    let ring = ring(&[1]);
    let agent = ring.agent_key("https://one", "a");
    assert_eq!(agent, ring.agent_key("https://one", "a"));
    assert_ne!(agent, ring.agent_key("https://one", "b"));
    assert_ne!(agent, ring.agent_key("https://two", "a"));
}

/// Pinned: a change of what is hashed would orphan every row in the database.
#[test]
fn pseudonyms_never_change() {
    let ring = ring(&[1]);
    let hex = |bytes: [u8; 32]| bytes.map(|byte| format!("{byte:02x}")).concat();
    assert_eq!(
        hex(ring.person_key(MitidUuid(REQUEST)).0),
        "53dcf960d766d8bba96aaec482d9e1d19e5192fadf2db4ede2b284d5c8617f18"
    );
    assert_eq!(
        hex(ring.person_key_by_cpr(&CprNumber::parse("010170-1234").unwrap()).0),
        "089b1d8ed2b30b5d76cd61262daf49a9021a7a64d02f2cc9c2096403be23e8a6"
    );
    assert_eq!(
        hex(ring.agent_key("https://issuer", "subject").0),
        "2833a0674f32fe4c32fbe2338495bf05d62c13455049e67309a274531cb2b15d"
    );
}

/// Each case spoils one thing of a good file. `SECRET` stands in for a key somebody mistyped.
#[rstest]
#[case::no_such_purpose("[sealing]", "[ceiling]", "ceiling: there is no such purpose")]
#[case::a_purpose_too_many("[sealing]", "[other]\n1 = \"SECRET\"\n[sealing]", "other: there is no such purpose")]
#[case::no_audit("[audit]\n1 = \"0\"\n", "", "audit: needs at least one key: `temporary-pin keys add --ring FILE")]
#[case::no_table("[pseudonym]\n1 = \"0\"", "pseudonym = \"SECRET\"", "pseudonym: must be a table with a key")]
#[case::no_key("[pseudonym]\n1 = \"0\"", "[pseudonym]", "pseudonym: needs at least one key")]
#[case::no_number("[verifier]\n1", "[verifier]\nSECRET", "verifier: each key id must be a whole number")]
#[case::no_base64("[verifier]\n1 = \"0\"", "[verifier]\n1 = \"SECRET!\"", "verifier.1: must be the base64 of 32 bytes")]
#[case::too_short("[sealing]\n1 = \"0\"", "[sealing]\n1 = \"SECRET==\"", "sealing.1: must be the base64 of 32 bytes")]
#[case::no_text("[sealing]\n1 = \"0\"", "[sealing]\n1 = 12345678", "sealing.1: must be the base64 of 32 bytes")]
#[case::no_toml("[sealing]\n1 = \"0\"", "[sealing]\n1 = SECRET", "line 6: not valid TOML")]
#[case::unclosed("[sealing]\n1 = \"0\"", "[sealing]\n1 = \"SECRET", "line 6: not valid TOML")]
#[case::twice("[sealing]\n1 = \"0\"", "[sealing]\n1 = \"0\"\n1 = \"SECRET\"", "line 7: not valid TOML")]
#[case::active_unknown("[audit]\n", "[audit]\nactive = 12345678\n", "audit.active: must be the id of one of its keys")]
#[case::active_text("[audit]\n", "[audit]\nactive = \"SECRET\"\n", "audit.active: must be the id of one of its keys")]
#[case::one_number_twice("[sealing]\n1 = \"0\"", "[sealing]\n1 = \"0\"\n01 = \"0\"", "the key id is given twice")]
fn a_bad_file_names_what_is_wrong_and_never_prints_a_key(#[case] good: &str, #[case] bad: &str, #[case] message: &str) {
    let file = "[pseudonym]\n1 = \"0\"\n[verifier]\n1 = \"0\"\n[sealing]\n1 = \"0\"\n[audit]\n1 = \"0\"\n";
    let spoilt = file.replace(good, bad);
    assert_ne!(spoilt, file);
    let error = format!("{:#}", KeyRing::parse(&spoilt.replace("\"0\"", &format!("\"{}\"", key(1)))).err().unwrap());
    assert!(error.contains(message), "{error}");
    for secret in ["SECRET", "12345678", &key(1)] {
        assert!(!error.contains(secret), "{error}");
    }
}

#[test]
fn a_file_that_is_not_there_or_not_valid_is_named() {
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

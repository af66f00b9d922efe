//! The key ring: what it makes it can read, and nothing else can.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use rstest::rstest;

use super::file::KEY_LENGTH;
use super::*;
use crate::random;

fn generated() -> (Zeroizing<String>, KeyRing) {
    let text = KeyFile::generate(&mut random::secure()).text();
    let ring = KeyRing::parse(&text).unwrap();
    (text, ring)
}

/// The text of a key, all of one byte.
fn key(byte: u8) -> String {
    STANDARD.encode([byte; KEY_LENGTH])
}

/// A ring whose keys, but for the pseudonym's, are those with these ids, each of them all of that one byte.
fn ring(ids: &[u8]) -> KeyRing {
    let keys: String = ids.iter().map(|id| format!("{id} = \"{}\"\n", key(*id))).collect();
    ring_with(&keys)
}

fn ring_with(keys: &str) -> KeyRing {
    let text = format!("[pseudonym]\n1 = \"{}\"\n[verifier]\n{keys}[sealing]\n{keys}[audit]\n{keys}", key(0));
    KeyRing::parse(&text).unwrap()
}

/// A ring with these pseudonym keys.
fn pseudonyms(keys: &str) -> KeyRing {
    let rest = format!("[verifier]\n1 = \"{0}\"\n[sealing]\n1 = \"{0}\"\n[audit]\n1 = \"{0}\"\n", key(0));
    KeyRing::parse(&format!("[pseudonym]\n{keys}{rest}")).unwrap()
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
    assert_eq!(keys.len(), Purpose::ALL.len());
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), Purpose::ALL.len());
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
    let verifier = ring.pin_verifier(REQUEST, &pin("01234567"), &mut random::secure());
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
    let first = ring.pin_verifier(REQUEST, &pin("00000000"), &mut random::secure());
    let second = ring.pin_verifier(REQUEST, &pin("00000000"), &mut random::secure());
    assert_ne!((first.salt, first.mac), (second.salt, second.mac));
}

/// Ids count as numbers: as texts, 10 comes before 9.
#[test]
fn an_added_key_makes_what_is_new_and_the_old_one_still_reads_what_is_old() {
    let (before, after, removed) = (ring(&[9]), ring(&[9, 10]), ring(&[10]));
    let old_seal = before.seal(b"context", b"old");
    let old_verifier = before.pin_verifier(REQUEST, &pin("01234567"), &mut random::secure());
    assert_eq!(&after.open(b"context", &old_seal).unwrap()[..], b"old");
    assert!(after.pin_matches(REQUEST, &pin("01234567"), &old_verifier));

    let new_seal = after.seal(b"context", b"new");
    let new_verifier = after.pin_verifier(REQUEST, &pin("01234567"), &mut random::secure());
    assert_eq!(new_seal[..4], 10_i32.to_be_bytes());
    assert_eq!((old_verifier.key_id, new_verifier.key_id), (9, 10));

    assert_eq!(&removed.open(b"context", &new_seal).unwrap()[..], b"new");
    assert!(removed.pin_matches(REQUEST, &pin("01234567"), &new_verifier));
    assert_eq!(removed.open(b"context", &old_seal), Err(OpenError));
    assert!(!removed.pin_matches(REQUEST, &pin("01234567"), &old_verifier));
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
        ring.digest("mobile", digits),
        ring.digest("agent", digits),
        ring.digest("person.mitid", digits),
        ring.digest("nonce", digits),
    ];
    pseudonyms.sort_unstable();
    pseudonyms.dedup();
    assert_eq!(pseudonyms.len(), 5);
    // Nor does moving a byte from the purpose to the value make the same.
    assert_ne!(ring.digest("non", b"ce"), ring.digest("nonce", b""));
}

#[test]
fn a_key_that_is_not_active_reads_and_does_not_write() {
    let keys = format!("1 = \"{}\"\n2 = \"{}\"\n", key(1), key(2));
    let (before, after) = (ring_with(&format!("active = 1\n{keys}")), ring_with(&format!("{keys}active = 2\n")));
    let seal = |ring: &KeyRing| ring.seal(b"", b"value");
    assert_eq!((&seal(&before)[..4], &seal(&after)[..4]), (&1_i32.to_be_bytes()[..], &2_i32.to_be_bytes()[..]));
    for (maker, reader) in [(&before, &after), (&after, &before)] {
        assert!(reader.open(b"", &seal(maker)).is_ok());
        let verifier = maker.pin_verifier(REQUEST, &pin("01234567"), &mut random::secure());
        assert!(reader.pin_matches(REQUEST, &pin("01234567"), &verifier));
        let (key_id, mac) = maker.audit_mac(b"rows");
        assert!(reader.audit_mac_matches(key_id, b"rows", &mac));
        assert!(!reader.audit_mac_matches(key_id, b"other rows", &mac));
        assert!(!reader.audit_mac_matches(3 - key_id, b"rows", &mac));
    }
    assert_eq!((before.audit_mac(b"").0, after.audit_mac(b"").0), (1, 2));
}

/// What the re-keying makes of a stored pseudonym is what the service looks for afterwards.
#[test]
fn a_further_pseudonym_key_is_a_layer_that_can_be_added_without_knowing_whose_it_is() {
    let (first, second) = (format!("1 = \"{}\"\n", key(1)), format!("7 = \"{}\"\n", key(7)));
    let both = format!("{first}{second}");
    let (before, waiting) = (pseudonyms(&first), pseudonyms(&format!("active = 1\n{both}")));
    let after = pseudonyms(&both);
    let (person, cpr) = (MitidUuid(REQUEST), CprNumber::parse("0101701234").unwrap());
    assert_eq!(waiting.person_key(person), before.person_key(person));
    assert_eq!(waiting.pseudonym_check(), before.pseudonym_check());
    assert_ne!(after.person_key(person), before.person_key(person));
    assert_ne!(after.pseudonym_check(), before.pseudonym_check());
    assert_eq!(after.rekey(1, before.person_key(person).0), after.person_key(person).0);
    assert_eq!(after.rekey(7, after.person_key(person).0), after.person_key(person).0);
    assert_eq!(after.rekey(1, before.digest("anything", b"value")), after.digest("anything", b"value"));
    assert_eq!(after.person_keys(person), [before.person_key(person), after.person_key(person)]);
    assert_eq!(after.person_keys_by_cpr(&cpr), [before.person_key_by_cpr(&cpr), after.person_key_by_cpr(&cpr)]);
    // Without the layer below, everybody is somebody else.
    assert_ne!(pseudonyms(&second).person_key(person), after.person_key(person));
}

#[test]
fn a_key_is_added_inactive_and_then_activated() {
    let mut file = KeyFile::generate(&mut random::secure());
    let old = KeyRing::parse(&file.text()).unwrap();
    assert_eq!(file.add(Purpose::Sealing, &mut random::secure()).unwrap(), 2);
    let known = KeyRing::parse(&file.text()).unwrap();
    assert_eq!(known.seal(b"", b"")[..4], 1_i32.to_be_bytes());
    assert!(file.activate(Purpose::Sealing, 3).is_err());
    file.activate(Purpose::Sealing, 2).unwrap();
    let new = KeyRing::parse(&file.text()).unwrap();
    assert_eq!(new.seal(b"", b"")[..4], 2_i32.to_be_bytes());
    assert!(known.open(b"", &new.seal(b"", b"")).is_ok());
    assert!(new.open(b"", &old.seal(b"", b"")).is_ok());
    assert_eq!(file.ids().nth(2), Some((Purpose::Sealing, vec![1, 2], 2)));
    assert_eq!(new.pseudonym_check(), old.pseudonym_check());
}

/// As rings were before the purpose `audit`.
#[test]
fn a_purpose_that_is_missing_can_be_added() {
    let text = KeyFile::generate(&mut random::secure()).text();
    let without = text.split("[audit]").next().unwrap();
    let error = format!("{:#}", KeyRing::parse(without).err().unwrap());
    assert!(error.contains("keys add --purpose audit"), "{error}");
    let mut file = KeyFile::parse(without).unwrap();
    assert_eq!(file.add(Purpose::Audit, &mut random::secure()).unwrap(), 1);
    assert_eq!(KeyRing::parse(&file.text()).unwrap().audit_mac(b"").0, 1);
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
#[case::no_table("[pseudonym]\n1 = \"0\"", "pseudonym = \"SECRET\"", "pseudonym: needs at least one key")]
#[case::no_key("[pseudonym]\n1 = \"0\"", "[pseudonym]", "pseudonym: needs at least one key")]
#[case::no_number("[verifier]\n1", "[verifier]\nSECRET", "verifier: each key id must be a whole number")]
#[case::no_base64("[verifier]\n1 = \"0\"", "[verifier]\n1 = \"SECRET!\"", "verifier.1: must be the base64 of 32 bytes")]
#[case::too_short("[sealing]\n1 = \"0\"", "[sealing]\n1 = \"SECRET==\"", "sealing.1: must be the base64 of 32 bytes")]
#[case::no_text("[sealing]\n1 = \"0\"", "[sealing]\n1 = 12345678", "sealing.1: must be the base64 of 32 bytes")]
#[case::no_toml("[sealing]\n1 = \"0\"", "[sealing]\n1 = SECRET", "line 6: not valid TOML")]
#[case::unclosed("[sealing]\n1 = \"0\"", "[sealing]\n1 = \"SECRET", "line 6: not valid TOML")]
#[case::twice("[sealing]\n1 = \"0\"", "[sealing]\n1 = \"0\"\n1 = \"SECRET\"", "line 7: not valid TOML")]
#[case::active_but_not_there("[sealing]", "[sealing]\nactive = 2", "sealing.active: there is no key 2")]
#[case::active_in_quotes("[sealing]", "[sealing]\nactive = \"SECRET\"", "sealing.active: must be the id of a key")]
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

    std::fs::write(&path, &*KeyFile::generate(&mut random::secure()).text()).unwrap();
    assert!(KeyRing::load(&path).is_ok());
    std::fs::remove_file(path).unwrap();
}

//! Pseudonyms of persons, mobile numbers and agents.

use super::*;
use crate::domain::cpr::CprNumber;
use crate::domain::fixture;
use crate::domain::person::{MitidUuid, PersonKey, PersonReference};

#[test]
fn a_pseudonym_is_the_same_each_time_and_differs_by_value_and_by_purpose() {
    let ring = ring(&[1]);
    let cpr = CprNumber::parse("0101701234").unwrap();
    let person = MitidUuid(REQUEST);
    assert_eq!(ring.person_key(person), ring.person_key(person));
    assert_ne!(ring.person_key(person), ring.person_key(MitidUuid(OTHER_REQUEST)));
    // The same bytes for each purpose.
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
    // A byte cannot move from the purpose to the value.
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
    assert_eq!(
        three.person_pseudonyms(Some(&PersonReference::Mitid(person)), None).ever,
        [third, second, first].map(PersonKey)
    );
    assert_eq!(
        two_of_three.person_pseudonyms(Some(&PersonReference::Mitid(person)), None).ever,
        [second, first].map(PersonKey)
    );
    assert_eq!(two_of_three.rekey_pseudonym(1, first), second);
    assert_eq!(three.rekey_pseudonym(1, first), third);
    assert_eq!(three.rekey_pseudonym(2, second), third);
    assert_eq!(three.rekey_pseudonym(3, third), third);
    // No layer can be left out or replaced.
    let error = with(&lines[1..].concat()).err().unwrap().to_string();
    assert_eq!(error, "pseudonym.1: is missing; from 1 on every one is needed (docs/keys.md)");
    let other = with(&format!("1 = \"{}\"\n{}", key(9), lines[1])).unwrap();
    assert_ne!(other.person_key(person).0, second);
}

#[test]
fn agents_differ_by_issuer_and_by_subject() {
    let ring = ring(&[1]);
    let agent = ring.agent_key("https://one", "a");
    assert_eq!(agent, ring.agent_key("https://one", "a"));
    assert_ne!(agent, ring.agent_key("https://one", "b"));
    assert_ne!(agent, ring.agent_key("https://two", "a"));
}

/// Fixed values: if the input of the hash changed, no row in the database would be found any more.
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

/// A person is stored under the MitID UUID once the account is known, and was stored under the CPR number before.
#[test]
fn every_pseudonym_of_a_person_is_found() {
    let person = fixture::person();
    let (uuid, number) = (person.mitid_account.as_ref().unwrap().mitid_uuid, person.cpr_number.clone().unwrap());
    let lines = [1, 2].map(|id| format!("{id} = \"{}\"\n", key(id))).concat();
    let others = format!("[verifier]\n1 = \"{0}\"\n[sealing]\n1 = \"{0}\"\n[audit]\n1 = \"{0}\"\n", key(0));
    let ring = KeyRing::parse(&format!("[pseudonym]\n{lines}{others}")).unwrap();

    let by_number = PersonReference::Cpr(number.clone());
    let known = ring.person_pseudonyms(Some(&by_number), Some(&person));
    assert_eq!(known.current, [ring.person_key(uuid), ring.person_key_by_cpr(&number)], "new rows: the MitID UUID");
    assert_eq!(
        known.ever,
        [
            ring.person_pseudonyms(Some(&PersonReference::Mitid(uuid)), None).ever,
            ring.person_pseudonyms(Some(&by_number), None).ever
        ]
        .concat()
    );
    assert_eq!(ring.person_pseudonyms(None, Some(&person)), known);

    let unknown = ring.person_pseudonyms(Some(&by_number), None);
    assert_eq!(unknown.current, [ring.person_key_by_cpr(&number)]);
    let old_number = CprNumber::parse("0101805678").unwrap();
    let renumbered = ring.person_pseudonyms(Some(&PersonReference::Cpr(old_number.clone())), Some(&person));
    let expected = [ring.person_key(uuid), ring.person_key_by_cpr(&old_number), ring.person_key_by_cpr(&number)];
    assert_eq!(renumbered.current, expected);
}

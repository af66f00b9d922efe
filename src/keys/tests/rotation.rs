//! Adding, activating and removing keys, and replacing the ring of a running process.

use super::*;

/// Ids are compared as numbers: as texts, 10 would come before 9.
#[test]
fn an_added_key_makes_new_values_and_the_old_key_still_reads_old_ones() {
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
fn an_audit_mac_matches_its_bytes_and_its_key_only() {
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

/// A key is distributed before it is used: every instance can read with it before the first instance makes a value with it.
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
    let knows_key_2 = read(&file);
    assert_eq!(made_with(&knows_key_2), (1, 1, 1));

    for purpose in rotated {
        file.activate(purpose, 2).unwrap();
    }
    let uses_key_2 = read(&file);
    assert_eq!(made_with(&uses_key_2), (2, 2, 2));
    assert!(knows_key_2.open(b"", &uses_key_2.seal(b"", b"value")).is_ok());
    assert!(uses_key_2.open(b"", &knows_key_2.seal(b"", b"value")).is_ok());

    assert_eq!(file.activate(KeyPurpose::Audit, 3).unwrap_err().to_string(), "audit.3: there is no such key");
    let listed: Vec<_> = file.list().filter(|(purpose, ..)| *purpose == KeyPurpose::Audit).collect();
    assert_eq!(listed, [(KeyPurpose::Audit, 1, false), (KeyPurpose::Audit, 2, true)]);
    assert_eq!(file.add(KeyPurpose::Audit, true, &mut random::secure()), 3);
    assert_eq!(made_with(&read(&file)).2, 3);
}

/// A running process accepts a ring with more keys and with other active keys, except for pseudonyms.
#[test]
fn a_ring_replaces_another_only_if_it_reads_all_its_values() {
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

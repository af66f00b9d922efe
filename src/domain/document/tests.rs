use rstest::rstest;

use super::DocumentFieldError::{Issuer, Number};
use super::DocumentKind::{DrivingLicence, IdentityCard, Passport};
use super::*;

#[rstest]
#[case::passport(Passport, "DNK", "209876543", Ok("209876543"))]
#[case::passport_with_letters(Passport, "DNK", "ab1234567", Ok("AB1234567"))]
#[case::passport_too_short(Passport, "DNK", "20987654", Err(vec![Number("9 letters or digits")]))]
#[case::licence(DrivingLicence, "dnk", "12-34 56-78", Ok("12345678"))]
#[case::licence_with_letter(DrivingLicence, "DNK", "1234567A", Err(vec![Number("8 digits")]))]
#[case::greenlandic_licence(DrivingLicence, "GRL", "12345", Ok("12345"))]
#[case::card(IdentityCard, "SWE", "ABCDEFGHIJ1234567890", Ok("ABCDEFGHIJ1234567890"))]
#[case::too_long(IdentityCard, "SWE", "ABCDEFGHIJ12345678901", Err(vec![Number("5 to 20 letters or digits")]))]
#[case::punctuation(Passport, "SWE", "12345/6", Err(vec![Number("5 to 20 letters or digits")]))]
#[case::umlaut(Passport, "SWE", "ÅÄÖ12345", Err(vec![Number("5 to 20 letters or digits")]))]
#[case::specimen(Passport, "UTO", "L898902C3", Err(vec![Issuer]))]
#[case::no_country(Passport, "XXX", "123456789", Err(vec![Issuer]))]
#[case::every_malformed_field(Passport, "Denmark", "", Err(vec![Issuer, Number("5 to 20 letters or digits")]))]
fn r15_a_number_must_have_the_form_of_its_kind_and_issuer(
    #[case] kind: DocumentKind,
    #[case] issuer: &str,
    #[case] number: &str,
    #[case] expected: Result<&str, Vec<DocumentFieldError>>,
) {
    let parsed = Document::parse(kind, issuer, number);
    assert_eq!(parsed.as_ref().map(|document| document.number.as_str()), expected.as_ref().copied());
}

#[test]
fn debug_does_not_show_the_number() {
    let document = Document::parse(Passport, "DNK", "209876543").unwrap();
    assert!(!format!("{document:?}").contains("209876543"));
}

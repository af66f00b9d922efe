use rstest::rstest;
use uuid::Uuid;

use super::super::fixture::{day, person};
use super::DocumentFieldError::{Issuer, Number};
use super::DocumentKind::{DrivingLicence, IdentityCard, Passport, ResidencePermit};
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

fn issuers() -> Vec<String> {
    vec!["DNK".into(), "GRL".into()]
}

fn today() -> NaiveDate {
    day("2026-11-23")
}

/// The document of `fixture::person`, valid until today.
fn registered() -> RegisteredDocument {
    RegisteredDocument {
        holder_cpr_number: person().cpr_number,
        holder_mitid_uuid: None,
        good_standing: true,
        expiry_date: today(),
        provisional: false,
    }
}

#[rstest]
#[case::danish_passport(Passport, "DNK", Ok(()))]
#[case::danish_licence(DrivingLicence, "DNK", Ok(()))]
#[case::greenlandic_passport(Passport, "GRL", Ok(()))]
#[case::faroese_passport(Passport, "FRO", Err(DocumentProblem::NotAccepted))]
#[case::swedish_passport(Passport, "SWE", Err(DocumentProblem::NotAccepted))]
#[case::identity_card(IdentityCard, "DNK", Err(DocumentProblem::NotAccepted))]
#[case::residence_permit(ResidencePermit, "DNK", Err(DocumentProblem::NotAccepted))]
fn r15_only_passports_and_licences_of_the_accepted_issuers(
    #[case] kind: DocumentKind,
    #[case] issuer: &str,
    #[case] expected: Result<(), DocumentProblem>,
) {
    let document = Document {
        kind,
        issuer: issuer.into(),
        number: "123456789".into(),
        expiry_date: None,
        cpr_number_shown: CprNumberShown::Unstated,
    };
    assert_eq!(judge_document(&document, Some(&registered()), &person(), &issuers(), today()), expected);
}

#[rstest]
#[case::valid_through_the_last_day(registered(), Ok(()))]
#[case::expired_yesterday(
    RegisteredDocument { expiry_date: day("2026-11-22"), ..registered() },
    Err(DocumentProblem::NotValid)
)]
#[case::lost_stolen_or_revoked(
    RegisteredDocument { good_standing: false, ..registered() },
    Err(DocumentProblem::NotValid)
)]
#[case::provisional(RegisteredDocument { provisional: true, ..registered() }, Err(DocumentProblem::NotValid))]
#[case::of_another_person(
    RegisteredDocument { holder_cpr_number: CprNumber::parse("0101805678").ok(), ..registered() },
    Err(DocumentProblem::NotTheirs)
)]
#[case::without_holder_and_lost(
    RegisteredDocument { holder_cpr_number: None, good_standing: false, ..registered() },
    Err(DocumentProblem::NotTheirs)
)]
#[case::old_cpr_number_same_mitid(
    RegisteredDocument {
        holder_cpr_number: CprNumber::parse("0101805678").ok(),
        holder_mitid_uuid: Some(MitidUuid(Uuid::from_u128(1))),
        ..registered()
    },
    Ok(())
)]
#[case::another_mitid(
    RegisteredDocument { holder_mitid_uuid: Some(MitidUuid(Uuid::from_u128(2))), ..registered() },
    Err(DocumentProblem::NotTheirs)
)]
fn r15_a_document_must_be_the_persons_own_and_valid(
    #[case] registered: RegisteredDocument,
    #[case] expected: Result<(), DocumentProblem>,
) {
    let document = Document::parse(Passport, "DNK", "209876543").unwrap();
    assert_eq!(judge_document(&document, Some(&registered), &person(), &issuers(), today()), expected);
    assert_eq!(judge_counter_document(&document, None, Some(&registered), &person(), &issuers(), today()), expected);
    // If the register knows a foreign document, its record decides.
    let foreign = Document::parse(Passport, "SWE", "209876543").unwrap();
    let supporting = Some(SupportingDocument::HealthCard);
    assert_eq!(
        judge_counter_document(&foreign, supporting, Some(&registered), &person(), &issuers(), today()),
        expected
    );
}

#[test]
fn r15_a_person_without_cpr_number_does_not_own_documents_without_holder() {
    let mut person = person();
    person.cpr_number = None;
    let registered = RegisteredDocument { holder_cpr_number: None, ..registered() };
    let document = Document::parse(Passport, "DNK", "209876543").unwrap();
    let result = judge_document(&document, Some(&registered), &person, &issuers(), today());
    assert_eq!(result, Err(DocumentProblem::NotTheirs));
}

#[rstest]
#[case::danish_unknown(Passport, "DNK", None, Err(DocumentProblem::NotFound))]
#[case::danish_unknown_with_health_card(
    IdentityCard,
    "DNK",
    Some(SupportingDocument::HealthCard),
    Err(DocumentProblem::NotFound)
)]
#[case::foreign_alone(Passport, "SWE", None, Err(DocumentProblem::NotAccepted))]
#[case::foreign_with_health_card(Passport, "SWE", Some(SupportingDocument::HealthCard), Ok(()))]
#[case::foreign_card_with_certificate(IdentityCard, "SWE", Some(SupportingDocument::ResidenceCertificate), Ok(()))]
fn r19_foreign_documents_need_a_supporting_one(
    #[case] kind: DocumentKind,
    #[case] issuer: &str,
    #[case] supporting: Option<SupportingDocument>,
    #[case] expected: Result<(), DocumentProblem>,
) {
    let document = Document::parse(kind, issuer, "123456789").unwrap();
    assert_eq!(judge_counter_document(&document, supporting, None, &person(), &issuers(), today()), expected);
}

#[rstest]
#[case(IdentityCard)]
#[case(ResidencePermit)]
fn r19_the_counter_accepts_danish_cards(#[case] kind: DocumentKind) {
    let document = Document::parse(kind, "DNK", "123456789").unwrap();
    assert_eq!(judge_counter_document(&document, None, Some(&registered()), &person(), &issuers(), today()), Ok(()));
}

#[test]
fn debug_does_not_show_the_number() {
    let document = Document::parse(Passport, "DNK", "209876543").unwrap();
    assert!(!format!("{document:?}").contains("209876543"));
}

use rstest::rstest;
use uuid::Uuid;

use super::super::cpr::CprNumber;
use super::super::document_list::DocumentRules;
use super::super::fixture::{day, person};
use super::super::person::MitidUuid;
use super::CprNumberShown::{No, Unstated, Yes};
use super::DocumentKind::{
    DrivingLicence, ForeignMinistryCard, IdentityCard, MunicipalIdentityCard, Passport, ResidencePermit,
};
use super::DocumentProblem::{Disagrees, NotAccepted, NotFound, NotTheirs, NotValid};
use super::SupportingDocument::{BirthCertificate, HealthCard};
use super::*;

type Judgement = Result<(), DocumentProblem>;

fn today() -> NaiveDate {
    day("2026-11-23")
}

fn document(kind: DocumentKind, issuer: &str) -> Document {
    Document {
        kind,
        issuer: issuer.into(),
        number: "20987654".into(),
        expiry_date: None,
        cpr_number_shown: CprNumberShown::Unstated,
    }
}

/// The document of `fixture::person`, valid until today.
fn registered() -> RegisteredDocument {
    RegisteredDocument {
        holder_cpr_number: person().cpr_number,
        holder_mitid_uuid: None,
        good_standing: true,
        expiry_date: today(),
        printed_expiry_date: None,
        provisional: false,
        cpr_number_shown: Unstated,
    }
}

fn by_phone(document: &Document, registered: Option<&RegisteredDocument>) -> Judgement {
    judge_phone_document(document, registered, &person(), &DocumentRules::default().phone, today())
}

fn at_counter(
    document: &Document,
    supporting: Option<SupportingDocument>,
    registered: Option<&RegisteredDocument>,
) -> Judgement {
    let in_hand = DocumentInHand { document, mrz: None, supporting };
    judge_counter_document(&in_hand, registered, &person(), &DocumentRules::default(), today())
}

fn of_witness(document: &Document, registered: Option<&RegisteredDocument>) -> Judgement {
    judge_witness_document(document, registered, &person(), &DocumentRules::default(), today())
}

#[rstest]
#[case::danish_passport(Passport, "DNK", Ok(()))]
#[case::danish_licence(DrivingLicence, "DNK", Ok(()))]
#[case::greenlandic_passport(Passport, "GRL", Ok(()))]
#[case::greenlandic_licence(DrivingLicence, "GRL", Ok(()))]
#[case::faroese_passport(Passport, "FRO", Err(NotAccepted))]
#[case::swedish_passport(Passport, "SWE", Err(NotAccepted))]
#[case::identity_card(IdentityCard, "DNK", Err(NotAccepted))]
#[case::residence_permit(ResidencePermit, "DNK", Err(NotAccepted))]
#[case::foreign_ministry_card(ForeignMinistryCard, "DNK", Err(NotAccepted))]
fn r15_the_phone_accepts_passports_and_licences_of_denmark_and_greenland(
    #[case] kind: DocumentKind,
    #[case] issuer: &str,
    #[case] expected: Judgement,
) {
    assert_eq!(by_phone(&document(kind, issuer), Some(&registered())), expected);
}

#[rstest]
#[case::valid_through_the_last_day(registered(), Ok(()))]
#[case::expired_yesterday(RegisteredDocument { expiry_date: day("2026-11-22"), ..registered() }, Err(NotValid))]
#[case::lost_stolen_or_revoked(RegisteredDocument { good_standing: false, ..registered() }, Err(NotValid))]
#[case::provisional(RegisteredDocument { provisional: true, ..registered() }, Err(NotValid))]
#[case::of_another_person(
    RegisteredDocument { holder_cpr_number: CprNumber::parse("0101805678").ok(), ..registered() },
    Err(NotTheirs)
)]
#[case::without_holder_and_lost(
    RegisteredDocument { holder_cpr_number: None, good_standing: false, ..registered() },
    Err(NotTheirs)
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
    Err(NotTheirs)
)]
fn r15_a_document_must_be_the_persons_own_and_valid(
    #[case] registered: RegisteredDocument,
    #[case] expected: Judgement,
) {
    let danish = document(Passport, "DNK");
    assert_eq!(by_phone(&danish, Some(&registered)), expected);
    assert_eq!(at_counter(&danish, None, Some(&registered)), expected);
    // If the register knows a foreign document, its record decides.
    let foreign = document(Passport, "SWE");
    assert_eq!(at_counter(&foreign, Some(HealthCard), Some(&registered)), expected);
    assert_eq!(of_witness(&foreign, Some(&registered)), expected);
}

#[test]
fn r15_a_person_without_cpr_number_does_not_own_documents_without_holder() {
    let mut person = person();
    person.cpr_number = None;
    let registered = RegisteredDocument { holder_cpr_number: None, ..registered() };
    let list = &DocumentRules::default().phone;
    let result = judge_phone_document(&document(Passport, "DNK"), Some(&registered), &person, list, today());
    assert_eq!(result, Err(NotTheirs));
}

/// The documents that mitid.dk names, each in the register: accepted by themselves, only with a further document, or never.
#[rstest]
#[case::danish_passport(Passport, "DNK", Yes, Ok(()), Ok(()))]
#[case::greenlandic_passport(Passport, "GRL", Yes, Ok(()), Ok(()))]
#[case::faroese_passport(Passport, "FRO", Yes, Ok(()), Ok(()))]
#[case::passport_of_a_client_of_0_1_0(Passport, "DNK", Unstated, Ok(()), Ok(()))]
#[case::danish_passport_without_cpr_number(Passport, "DNK", No, Err(NotAccepted), Ok(()))]
#[case::greenlandic_passport_without_cpr_number(Passport, "GRL", No, Err(NotAccepted), Ok(()))]
#[case::faroese_passport_without_cpr_number(Passport, "FRO", No, Err(NotAccepted), Ok(()))]
#[case::danish_licence(DrivingLicence, "DNK", No, Ok(()), Ok(()))]
#[case::greenlandic_licence(DrivingLicence, "GRL", No, Ok(()), Ok(()))]
#[case::faroese_licence(DrivingLicence, "FRO", Yes, Err(NotAccepted), Err(NotAccepted))]
#[case::swedish_licence(DrivingLicence, "SWE", No, Err(NotAccepted), Err(NotAccepted))]
#[case::residence_permit(ResidencePermit, "DNK", Yes, Ok(()), Ok(()))]
#[case::residence_permit_without_cpr_number(ResidencePermit, "DNK", No, Err(NotAccepted), Ok(()))]
#[case::swedish_residence_permit(ResidencePermit, "SWE", Yes, Err(NotAccepted), Err(NotAccepted))]
#[case::foreign_ministry_card(ForeignMinistryCard, "DNK", No, Ok(()), Ok(()))]
#[case::municipal_card(MunicipalIdentityCard, "DNK", Yes, Err(NotAccepted), Ok(()))]
#[case::danish_identity_card(IdentityCard, "DNK", Yes, Err(NotAccepted), Ok(()))]
#[case::swedish_passport(Passport, "SWE", Unstated, Err(NotAccepted), Ok(()))]
#[case::swedish_identity_card(IdentityCard, "SWE", Unstated, Err(NotAccepted), Ok(()))]
fn r19_which_documents_need_a_supporting_one(
    #[case] kind: DocumentKind,
    #[case] issuer: &str,
    #[case] cpr_number_shown: CprNumberShown,
    #[case] alone: Judgement,
    #[case] supported: Judgement,
) {
    let document = Document { cpr_number_shown, ..document(kind, issuer) };
    assert_eq!(at_counter(&document, None, Some(&registered())), alone);
    assert_eq!(at_counter(&document, Some(HealthCard), Some(&registered())), supported);
    assert_eq!(at_counter(&document, Some(BirthCertificate), Some(&registered())), supported);
}

#[rstest]
#[case::register_does_not_know(Passport, Yes, Unstated, Ok(()))]
#[case::register_knows(Passport, Unstated, Yes, Ok(()))]
#[case::register_knows_better(Passport, Yes, No, Err(NotAccepted))]
#[case::clerk_has_seen_none(Passport, No, Yes, Err(NotAccepted))]
#[case::licence(DrivingLicence, Unstated, No, Ok(()))]
fn r19_the_register_may_know_that_a_document_shows_no_cpr_number(
    #[case] kind: DocumentKind,
    #[case] seen: CprNumberShown,
    #[case] known: CprNumberShown,
    #[case] alone: Judgement,
) {
    let document = Document { cpr_number_shown: seen, ..document(kind, "DNK") };
    let of_register = RegisteredDocument { cpr_number_shown: known, ..registered() };
    assert_eq!(at_counter(&document, None, Some(&of_register)), alone);
    assert_eq!(at_counter(&document, Some(HealthCard), Some(&of_register)), Ok(()));
    // Of another person's document the answer tells nothing.
    let others = RegisteredDocument { holder_cpr_number: None, ..of_register };
    assert_eq!(at_counter(&document, Some(HealthCard), Some(&others)), Err(NotTheirs));
}

#[rstest]
#[case::printed("2021-11-23", Ok(()))]
#[case::as_extended("2026-11-23", Ok(()))]
#[case::neither("2022-11-23", Err(Disagrees))]
fn r19_a_document_shows_what_the_register_knows_to_be_printed(#[case] seen: &str, #[case] expected: Judgement) {
    let document = Document { expiry_date: Some(day(seen)), ..document(Passport, "DNK") };
    let extended = RegisteredDocument { printed_expiry_date: Some(day("2021-11-23")), ..registered() };
    assert_eq!(at_counter(&document, None, Some(&extended)), expected);
}

#[test]
fn r19_a_municipal_card_does_not_support_another_one() {
    let supporting = Some(SupportingDocument::MunicipalIdentityCard);
    let card = document(MunicipalIdentityCard, "DNK");
    assert_eq!(at_counter(&card, supporting, Some(&registered())), Err(NotAccepted));
    assert_eq!(at_counter(&document(Passport, "SWE"), supporting, Some(&registered())), Ok(()));
}

#[test]
fn r19_the_cpr_number_must_be_stated_where_the_settings_say_so() {
    let rules = DocumentRules { cpr_number_must_be_stated: true, ..DocumentRules::default() };
    let judge = |cpr_number_shown, kind| {
        let document = Document { cpr_number_shown, ..document(kind, "DNK") };
        let in_hand = DocumentInHand { document: &document, mrz: None, supporting: None };
        judge_counter_document(&in_hand, Some(&registered()), &person(), &rules, today())
    };
    assert_eq!(judge(Unstated, Passport), Err(NotAccepted));
    assert_eq!(judge(Yes, Passport), Ok(()));
    assert_eq!(judge(Unstated, DrivingLicence), Ok(()));
}

#[rstest]
#[case::danish(Passport, "DNK", Some("2030-01-01"), Err(NotFound))]
#[case::foreign_ministry_card(ForeignMinistryCard, "DNK", Some("2030-01-01"), Err(NotFound))]
#[case::danish_identity_card(IdentityCard, "DNK", Some("2030-01-01"), Err(NotFound))]
#[case::faroese_identity_card(IdentityCard, "FRO", Some("2030-01-01"), Err(NotFound))]
#[case::swedish_identity_card(IdentityCard, "SWE", Some("2030-01-01"), Ok(()))]
#[case::swedish(Passport, "SWE", Some("2030-01-01"), Ok(()))]
#[case::swedish_on_its_last_day(Passport, "SWE", Some("2026-11-23"), Ok(()))]
#[case::swedish_and_expired(Passport, "SWE", Some("2019-06-30"), Err(NotValid))]
#[case::swedish_of_unknown_expiry(Passport, "SWE", None, Err(NotValid))]
#[case::municipal_card(MunicipalIdentityCard, "DNK", Some("2030-01-01"), Ok(()))]
fn r19_a_document_that_the_register_does_not_know_is_judged_by_the_expiry_that_was_seen(
    #[case] kind: DocumentKind,
    #[case] issuer: &str,
    #[case] expiry_date: Option<&str>,
    #[case] expected: Judgement,
) {
    let document = Document { expiry_date: expiry_date.map(day), ..document(kind, issuer) };
    assert_eq!(at_counter(&document, Some(HealthCard), None), expected);
    let in_hand = DocumentInHand { document: &document, mrz: None, supporting: Some(HealthCard) };
    let rules = DocumentRules::default();
    assert_eq!(in_hand.lacks_expiry_date(None, &rules, today()), expiry_date.is_none());
    assert!(!in_hand.lacks_expiry_date(Some(&registered()), &rules, today()));
    // Without the supporting document, the document is not accepted, whatever its expiry.
    assert!(!DocumentInHand { supporting: None, ..in_hand }.lacks_expiry_date(None, &rules, today()));
}

#[rstest]
#[case::as_registered("2026-11-23", Ok(()))]
#[case::extended_since("2021-11-23", Ok(()))]
#[case::later_than_registered("2026-11-24", Err(Disagrees))]
fn r19_a_document_may_show_an_earlier_expiry_than_the_register_knows(
    #[case] expiry_date: &str,
    #[case] expected: Judgement,
) {
    let document = Document { expiry_date: Some(day(expiry_date)), ..document(Passport, "DNK") };
    assert_eq!(at_counter(&document, None, Some(&registered())), expected);
}

#[rstest]
#[case::danish_passport(Passport, "DNK", None, Err(NotFound))]
#[case::swedish_passport(Passport, "SWE", Some("2030-01-01"), Ok(()))]
#[case::swedish_passport_expired(Passport, "SWE", Some("2026-11-22"), Err(NotValid))]
#[case::german_identity_card(IdentityCard, "DEU", Some("2030-01-01"), Ok(()))]
#[case::german_residence_permit(ResidencePermit, "DEU", Some("2030-01-01"), Ok(()))]
#[case::swedish_licence(DrivingLicence, "SWE", Some("2030-01-01"), Err(NotAccepted))]
#[case::municipal_card(MunicipalIdentityCard, "DNK", Some("2030-01-01"), Err(NotAccepted))]
fn r20_a_witness_may_have_a_passport_card_or_permit_of_any_country(
    #[case] kind: DocumentKind,
    #[case] issuer: &str,
    #[case] expiry_date: Option<&str>,
    #[case] unregistered: Judgement,
) {
    let rules = DocumentRules::default();
    let document = Document { expiry_date: expiry_date.map(day), ..document(kind, issuer) };
    assert_eq!(of_witness(&document, None), unregistered);
    assert!(!witness_lacks_expiry_date(&document, None, &rules));
    let without = Document { expiry_date: None, ..document };
    assert_eq!(
        witness_lacks_expiry_date(&without, None, &rules),
        unregistered.is_ok() || unregistered == Err(NotValid)
    );
    assert!(!witness_lacks_expiry_date(&without, Some(&registered()), &rules));
}

#[rstest]
#[case(DrivingLicence, "DNK")]
#[case(ResidencePermit, "DNK")]
#[case(Passport, "FRO")]
fn r20_a_danish_document_of_a_witness_is_looked_up(#[case] kind: DocumentKind, #[case] issuer: &str) {
    assert_eq!(of_witness(&document(kind, issuer), Some(&registered())), Ok(()));
    assert_eq!(of_witness(&document(kind, issuer), None), Err(NotFound));
}

/// The specimen of ICAO Doc 9303 part 4, as issued by Sweden.
fn swedish_passport() -> (Document, Mrz, Person) {
    let lines = ["P<SWEERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L898902C36SWE7408122F3204153ZE184226B<<<<<16"];
    let mrz = Mrz::parse(&lines.map(str::to_owned)).unwrap();
    let person = Person { birth_date: day("1974-08-12").into(), ..person() };
    (Document::parse(Passport, "SWE", "L898902C3").unwrap(), mrz, person)
}

#[rstest]
#[case::not_stated(None, "2026-11-23", Ok(()))]
#[case::stated_as_in_the_zone(Some("2032-04-15"), "2026-11-23", Ok(()))]
#[case::stated_otherwise(Some("2033-04-15"), "2026-11-23", Err(Disagrees))]
#[case::on_the_last_day(None, "2032-04-15", Ok(()))]
#[case::expired_in_the_zone(None, "2032-04-16", Err(NotValid))]
fn r19_the_zone_tells_the_expiry(#[case] stated: Option<&str>, #[case] today: &str, #[case] expected: Judgement) {
    let (document, mrz, person) = swedish_passport();
    let document = Document { expiry_date: stated.map(day), ..document };
    let in_hand = DocumentInHand { document: &document, mrz: Some(&mrz), supporting: Some(HealthCard) };
    let rules = DocumentRules::default();
    assert!(!in_hand.lacks_expiry_date(None, &rules, day(today)));
    assert_eq!(judge_counter_document(&in_hand, None, &person, &rules, day(today)), expected);
}

#[rstest]
#[case::as_printed("2032-04-15", Ok(()))]
#[case::extended("2042-04-15", Ok(()))]
#[case::shortened("2031-04-15", Err(Disagrees))]
fn r19_an_extension_that_the_register_knows_is_no_disagreement(#[case] expiry_date: &str, #[case] expected: Judgement) {
    let (document, mrz, person) = swedish_passport();
    let registered = RegisteredDocument { expiry_date: day(expiry_date), ..registered() };
    let in_hand = DocumentInHand { document: &document, mrz: Some(&mrz), supporting: Some(HealthCard) };
    let result = judge_counter_document(&in_hand, Some(&registered), &person, &DocumentRules::default(), today());
    assert_eq!(result, expected);
}

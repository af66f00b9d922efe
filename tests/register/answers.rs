//! Which responses of the register are accepted, and which count as no response.

use chrono::{DateTime, NaiveDate};
use prost_types::Timestamp;
use rstest::rstest;
use temporary_pin::domain::cpr::CprStatus;
use temporary_pin::domain::document::{CprNumberShown, Document, DocumentKind};
use temporary_pin::domain::fact::{Fact, FactKind};
use temporary_pin::domain::language::Language;
use temporary_pin::domain::person::{MitidUuid, PersonReference};
use temporary_pin::proto::identityregister::v1 as proto;
use temporary_pin::proto::identityregister::v1::fact::Kind;
use temporary_pin::register::RegisterUnavailable;

use crate::{CPR, MITID, World, by_cpr, fact, person};

fn by_mitid() -> PersonReference {
    PersonReference::Mitid(MitidUuid(MITID.parse().unwrap()))
}

fn account(person: &mut proto::Person) -> &mut proto::MitidAccount {
    person.mitid_account.as_mut().unwrap()
}

#[tokio::test]
async fn every_field_of_a_person_is_read() {
    let world = World::new().await;
    let person = world.look_up().await.unwrap().unwrap();
    assert_eq!(person.cpr_number.unwrap().digits(), CPR);
    assert_eq!(person.cpr_status, Some(CprStatus::ActiveDenmark));
    assert_eq!(person.birth_date, NaiveDate::from_ymd_opt(1960, 1, 1).unwrap().into());
    assert!(!person.protected && !person.credit_warning);
    assert_eq!(person.facts, [Fact { kind: FactKind::Birthplace, values: vec!["Nuuk".into()], certain: true }]);
    let account = person.mitid_account.unwrap();
    assert_eq!(account.mitid_uuid, MitidUuid(MITID.parse().unwrap()));
    assert!(account.active);
    assert_eq!(account.language, Language::Kl);
    assert_eq!(account.enrolment_time, DateTime::from_timestamp(1_700_000_000, 0));
    let mobile = account.mobile.unwrap();
    assert_eq!(mobile.number.e164(), "+4520123456");
    assert_eq!(mobile.change_time, DateTime::from_timestamp(1_750_000_000, 0));
}

#[tokio::test]
async fn a_person_is_found_by_mitid_uuid_and_may_have_no_cpr_number() {
    let world = World::new().await;
    let without_number = proto::Person { cpr_number: String::new(), cpr_status: String::new(), ..person() };
    world.fake.state().people.insert(MITID.into(), without_number);
    let person = world.register.look_up_person(&by_mitid()).await.unwrap().unwrap();
    assert_eq!((person.cpr_number, person.cpr_status), (None, None));
}

#[tokio::test]
async fn an_unknown_person_is_a_valid_response() {
    let world = World::new().await;
    assert!(world.register.look_up_person(&by_cpr("0202605888")).await.unwrap().is_none());
}

#[rstest]
#[case::no_account(|person: &mut proto::Person| person.mitid_account = None)]
#[case::no_mobile(|person: &mut proto::Person| account(person).mobile_number.clear())]
#[case::no_times(|person: &mut proto::Person| {
    account(person).enrolment_time = None;
    account(person).mobile_number_change_time = None;
})]
#[case::fact_of_a_new_kind(|person: &mut proto::Person| person.facts.push(proto::Fact { kind: 99, ..fact(Kind::Unspecified, "") }))]
#[case::uncertain_fact_with_an_invalid_value(|person: &mut proto::Person| person.facts.push(proto::Fact {
    certainty: proto::fact::Certainty::Uncertain.into(),
    ..fact(Kind::MotherBirthDate, "1950-00-00")
}))]
#[case::unknown_language(|person: &mut proto::Person| account(person).language = "fo".into())]
#[tokio::test]
async fn a_person_without_optional_data_is_accepted(#[case] change: fn(&mut proto::Person)) {
    assert!(World::knowing(change).await.look_up().await.unwrap().is_some());
}

#[rstest]
#[case::another_person(|person: &mut proto::Person| person.cpr_number = "0202605888".into())]
#[case::no_number(|person: &mut proto::Person| person.cpr_number.clear())]
#[case::number_not_a_number(|person: &mut proto::Person| person.cpr_number = "12345".into())]
#[case::status_missing(|person: &mut proto::Person| person.cpr_status.clear())]
#[case::status_with_a_blank(|person: &mut proto::Person| person.cpr_status = "90 ".into())]
#[case::status_with_a_letter(|person: &mut proto::Person| person.cpr_status = "9O".into())]
#[case::status_in_words(|person: &mut proto::Person| person.cpr_status = "død".into())]
#[case::successor_of_a_valid_number(|person: &mut proto::Person| person.successor_cpr_number = "0202605888".into())]
#[case::birth_date_missing(|person: &mut proto::Person| person.birth_date.clear())]
#[case::birth_date_not_a_date(|person: &mut proto::Person| person.birth_date = "1960-02-30".into())]
#[case::birth_year_unknown(|person: &mut proto::Person| person.birth_date = "0000-00-00".into())]
#[case::birth_date_that_clients_cannot_read(|person: &mut proto::Person| person.birth_date = "9999-12-31".into())]
#[case::birth_date_in_another_form(|person: &mut proto::Person| person.birth_date = "1960-1-1".into())]
#[case::account_without_uuid(|person: &mut proto::Person| account(person).mitid_uuid.clear())]
#[case::account_uuid_not_a_uuid(|person: &mut proto::Person| account(person).mitid_uuid = "17".into())]
#[case::enrolment_time_out_of_range(|person: &mut proto::Person| {
    account(person).enrolment_time = Some(Timestamp { seconds: i64::MAX, nanos: 0 });
})]
#[case::change_time_that_clients_cannot_read(|person: &mut proto::Person| {
    // 9999-12-31: a rule that adds its own span would pass the end of a Timestamp.
    account(person).mobile_number_change_time = Some(Timestamp { seconds: 253_402_214_400, nanos: 0 });
})]
#[case::change_time_out_of_range(|person: &mut proto::Person| {
    account(person).mobile_number_change_time = Some(Timestamp { seconds: 0, nanos: -1 });
})]
#[case::fact_empty(|person: &mut proto::Person| person.facts.push(fact(Kind::PreviousRoad, " ")))]
#[case::fact_not_a_year(|person: &mut proto::Person| person.facts.push(fact(Kind::WeddingYear, "85")))]
#[case::fact_not_a_date(|person: &mut proto::Person| person.facts.push(fact(Kind::ChildBirthDate, "1985")))]
#[tokio::test]
async fn a_doubtful_person_counts_as_no_response(#[case] change: fn(&mut proto::Person)) {
    assert_eq!(World::knowing(change).await.look_up().await.unwrap_err(), RegisterUnavailable);
}

#[tokio::test]
async fn a_person_with_another_mitid_account_counts_as_no_response() {
    let world = World::new().await;
    let mut other = person();
    account(&mut other).mitid_uuid = "11111111-1111-4111-8111-111111111111".into();
    let without = proto::Person { mitid_account: None, ..person() };
    for person in [other, without] {
        world.fake.state().people.insert(MITID.into(), person);
        assert_eq!(world.register.look_up_person(&by_mitid()).await.unwrap_err(), RegisterUnavailable);
    }
}

#[rstest]
#[case(0)]
#[case(99)]
#[tokio::test]
async fn unknown_enum_values_count_as_the_stricter_value(#[case] unknown: i32) {
    let world = World::knowing(|person| {
        person.protection = unknown;
        person.facts[0].certainty = unknown;
        account(person).state = unknown;
    })
    .await;
    let person = world.look_up().await.unwrap().unwrap();
    assert!(person.protected);
    assert!(!person.facts[0].certain);
    assert!(!person.mitid_account.unwrap().active);
}

#[rstest]
#[case("+4520123456")]
#[case("+45 20 12 34 56")]
#[case("004520123456")]
#[case("20 12 34 56")]
#[tokio::test]
async fn r13_a_mobile_number_is_understood_as_registers_write_it(#[case] number: &'static str) {
    let world = World::knowing(|person| account(person).mobile_number = number.into()).await;
    let person = world.look_up().await.unwrap().unwrap();
    assert_eq!(person.registered_mobile().unwrap().number.e164(), "+4520123456");
}

#[rstest]
#[case("+451")]
#[case("4520123456")]
#[case("ukendt")]
#[tokio::test]
async fn r13_an_impossible_mobile_number_counts_as_none(#[case] number: &'static str) {
    let world = World::knowing(|person| account(person).mobile_number = number.into()).await;
    assert!(world.look_up().await.unwrap().unwrap().mitid_account.unwrap().mobile.is_none());
}

#[rstest]
#[case::not_updated("97", CprStatus::NotUpdated)]
#[case::unknown("99", CprStatus::Unknown)]
#[case::not_known("02", CprStatus::Other)]
#[tokio::test]
async fn r12_a_status_that_is_not_known_is_a_valid_response(#[case] code: &'static str, #[case] status: CprStatus) {
    test_support::log::start_collecting();
    let world = World::knowing(|person| person.cpr_status = code.into()).await;
    assert_eq!(world.look_up().await.unwrap().unwrap().cpr_status, Some(status));
    let log = test_support::log::take_log();
    assert_eq!(log.contains("cpr_status"), status == CprStatus::Other, "{log}");
    assert!(!log.contains("død"), "{log}");
}

#[rstest]
#[case::as_0_1_0_has_it(0, "1950-02-03", true)]
#[case::certain(1, "1950-02-03", true)]
#[case::uncertain(2, "1950-02-03", false)]
#[case::a_new_mark(99, "1950-02-03", false)]
#[case::day_unknown(1, "1950-02-00", false)]
#[case::month_unknown(0, "1950-00-00", false)]
#[tokio::test]
async fn r12_a_birth_date_has_a_mark_and_may_have_unknown_parts(
    #[case] certainty: i32,
    #[case] date: &'static str,
    #[case] is_certain: bool,
) {
    let world = World::knowing(|person| {
        person.birth_date = date.into();
        person.birth_date_certainty = certainty;
    })
    .await;
    assert_eq!(world.look_up().await.unwrap().unwrap().birth_date.is_certain(), is_certain);
}

#[rstest]
#[case::none(&[], false, false)]
#[case::name_and_address(&[1], true, false)]
#[case::what_changes_nothing(&[2, 3, 4], false, false)]
#[case::credit_warning(&[5], false, true)]
#[case::several(&[3, 5, 1], true, true)]
#[case::a_new_type(&[6], true, false)]
#[tokio::test]
async fn r12_r16_types_of_protection_are_read(
    #[case] types: &'static [i32],
    #[case] protected: bool,
    #[case] credit_warning: bool,
) {
    let world = World::knowing(|person| person.protection_types = types.into()).await;
    let person = world.look_up().await.unwrap().unwrap();
    assert_eq!((person.protected, person.credit_warning), (protected, credit_warning));
}

fn passport() -> proto::Document {
    proto::Document {
        holder_cpr_number: CPR.into(),
        holder_mitid_uuid: MITID.into(),
        state: proto::document::State::Valid.into(),
        expiry_date: "2030-06-30".into(),
        permanence: proto::document::Permanence::Ordinary.into(),
        ..proto::Document::default()
    }
}

#[tokio::test]
async fn a_document_is_requested_and_every_field_is_read() {
    let world = World::new().await;
    world.fake.state().documents.insert("209123456".into(), passport());
    let document = |number: &str| Document::parse(DocumentKind::DrivingLicence, "GRL", number).unwrap();
    let found = world.register.look_up_document(&document("209123456")).await.unwrap().unwrap();
    assert_eq!(found.holder_cpr_number.unwrap().digits(), CPR);
    assert_eq!(found.holder_mitid_uuid, Some(MitidUuid(MITID.parse().unwrap())));
    assert_eq!(found.expiry_date, NaiveDate::from_ymd_opt(2030, 6, 30).unwrap());
    assert!(found.good_standing && !found.provisional);
    let requested = world.fake.state().requested_document.take().unwrap();
    assert_eq!(requested.kind(), proto::DocumentKind::DrivingLicence);
    assert_eq!((requested.issuer.as_str(), requested.number.as_str()), ("GRL", "209123456"));

    assert!(world.register.look_up_document(&document("209999999")).await.unwrap().is_none());
}

#[rstest]
#[case::not_known(0, "", CprNumberShown::Unstated, None)]
#[case::shown(1, "2025-06-30", CprNumberShown::Yes, NaiveDate::from_ymd_opt(2025, 6, 30))]
#[case::not_shown(2, "", CprNumberShown::No, None)]
#[case::a_new_value(99, "", CprNumberShown::No, None)]
#[tokio::test]
async fn r19_what_a_document_shows_is_read(
    #[case] shown: i32,
    #[case] printed: &'static str,
    #[case] cpr_number_shown: CprNumberShown,
    #[case] printed_expiry_date: Option<NaiveDate>,
) {
    let document = proto::Document { cpr_number_shown: shown, printed_expiry_date: printed.into(), ..passport() };
    let found = look_up_document(document).await.unwrap();
    assert_eq!((found.cpr_number_shown, found.printed_expiry_date), (cpr_number_shown, printed_expiry_date));
}

#[rstest]
#[case::not_known(0)]
#[case::lost(2)]
#[case::stolen(3)]
#[case::revoked(4)]
#[case::new_state(99)]
#[tokio::test]
async fn r15_only_a_valid_document_is_in_good_standing(#[case] state: i32) {
    let found = look_up_document(proto::Document { state, ..passport() }).await.unwrap();
    assert!(!found.good_standing);
}

#[rstest]
#[case::not_known(0)]
#[case::provisional(2)]
#[case::new_permanence(99)]
#[tokio::test]
async fn r15_only_an_ordinary_document_is_not_provisional(#[case] permanence: i32) {
    let found = look_up_document(proto::Document { permanence, ..passport() }).await.unwrap();
    assert!(found.provisional);
}

#[rstest]
#[case::expiry_missing(|document: &mut proto::Document| document.expiry_date.clear())]
#[case::expiry_not_a_date(|document: &mut proto::Document| document.expiry_date = "30-06-2030".into())]
#[case::holder_not_a_cpr_number(|document: &mut proto::Document| document.holder_cpr_number = "12345".into())]
#[case::holder_not_a_uuid(|document: &mut proto::Document| document.holder_mitid_uuid = "17".into())]
#[tokio::test]
async fn a_doubtful_document_counts_as_no_response(#[case] change: fn(&mut proto::Document)) {
    let mut doubtful = passport();
    change(&mut doubtful);
    assert_eq!(look_up_document(doubtful).await.unwrap_err(), RegisterUnavailable);
}

async fn look_up_document(
    response: proto::Document,
) -> Result<temporary_pin::domain::document::RegisteredDocument, RegisterUnavailable> {
    let world = World::new().await;
    world.fake.state().documents.insert("209123456".into(), response);
    let requested = Document::parse(DocumentKind::Passport, "DNK", "209123456").unwrap();
    world.register.look_up_document(&requested).await.map(Option::unwrap)
}

use rstest::rstest;

use super::super::birth_date::BirthDate;
use super::super::fixture::day;
use super::*;

// The specimens in ICAO Doc 9303, parts 4 to 6.
const PASSPORT: [&str; 2] =
    ["P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L898902C36UTO7408122F1204159ZE184226B<<<<<10"];
const CARD_OF_TWO_LINES: [&str; 2] = ["I<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<", "D231458907UTO7408122F1204159<<<<<<<6"];
const CARD_OF_THREE_LINES: [&str; 3] =
    ["I<UTOD231458907<<<<<<<<<<<<<<<", "7408122F1204159UTO<<<<<<<<<<<6", "ERIKSSON<<ANNA<MARIA<<<<<<<<<<"];
// A document number of twelve characters continues in the optional data.
const CARD_WITH_LONG_NUMBER: [&str; 3] =
    ["I<UTOD23145890<7349<<<<<<<<<<<", "3407127M9507122UTO<<<<<<<<<<<2", "STEVENSON<<PETER<JOHN<<<<<<<<<"];
// The check digit of the long number covers the filler, too (PRADO, BEL-BO-03003).
const BELGIAN_CARD: [&str; 3] =
    ["IDBEL592000777<6016<<<<<<<<<<<", "9002155F3108206BEL<<<<<<<<<<<6", "SPECIMEN<<NORA<<<<<<<<<<<<<<<<"];
const FRENCH_CARD: [&str; 2] = ["IDFRASPECIMEN<<<<<<<<<<<<<<<<<751042", "1903751001234LEA<<<<<<<<<<<8002147F2"];

fn parse(lines: &[&str]) -> Result<Mrz, MrzError> {
    Mrz::parse(&lines.iter().map(ToString::to_string).collect::<Vec<_>>())
}

fn parse_with(lines: &[&str], line: usize, from: usize, text: &str) -> Result<Mrz, MrzError> {
    let mut lines: Vec<String> = lines.iter().map(ToString::to_string).collect();
    lines[line].replace_range(from..from + text.len(), text);
    Mrz::parse(&lines)
}

#[rstest]
#[case(&PASSPORT, "P", "UTO", "L898902C3", "740812", Some("120415"))]
#[case(&CARD_OF_TWO_LINES, "I", "UTO", "D23145890", "740812", Some("120415"))]
#[case(&CARD_OF_THREE_LINES, "I", "UTO", "D23145890", "740812", Some("120415"))]
#[case(&CARD_WITH_LONG_NUMBER, "I", "UTO", "D23145890734", "340712", Some("950712"))]
#[case(&BELGIAN_CARD, "ID", "BEL", "592000777601", "900215", Some("310820"))]
#[case(&FRENCH_CARD, "ID", "FRA", "190375100123", "800214", None)]
fn r19_the_specimens_are_read(
    #[case] lines: &[&str],
    #[case] code: &str,
    #[case] issuer: &str,
    #[case] number: &str,
    #[case] birth_date: &str,
    #[case] expiry_date: Option<&str>,
) {
    let mrz = parse(lines).unwrap();
    let read = (&*mrz.document_code, &*mrz.issuer, &*mrz.number, &*mrz.birth_date, mrz.expiry_date.as_deref());
    assert_eq!(read, (code, issuer, number, birth_date, expiry_date));
    assert_eq!(format!("{mrz:?}"), "Mrz(****)");
}

#[rstest]
#[case::number(1, 0, "X", MrzError::CheckDigit)]
#[case::digit_of_the_number(1, 9, "7", MrzError::CheckDigit)]
#[case::birth_date(1, 13, "8", MrzError::CheckDigit)]
#[case::expiry_date(1, 21, "2", MrzError::CheckDigit)]
#[case::optional_data(1, 28, "A", MrzError::CheckDigit)]
#[case::digit_of_the_optional_data(1, 42, "0", MrzError::CheckDigit)]
#[case::composite_digit(1, 43, "1", MrzError::CheckDigit)]
#[case::no_digit_at_all(1, 43, "<", MrzError::CheckDigit)]
#[case::visa(0, 0, "V", MrzError::DocumentCode)]
#[case::card_of_the_size_of_a_passport(0, 0, "I", MrzError::DocumentCode)]
#[case::small_letter(0, 10, "a", MrzError::Form)]
#[case::letters_with_the_same_check_digit_in_a_date(1, 17, "BM", MrzError::Form)]
fn r19_a_changed_passport_is_refused(
    #[case] line: usize,
    #[case] from: usize,
    #[case] text: &str,
    #[case] error: MrzError,
) {
    assert_eq!(parse_with(&PASSPORT, line, from, text), Err(error));
}

#[rstest]
#[case::of_two_lines(&CARD_OF_TWO_LINES, 1, 30, "B")]
#[case::of_three_lines(&CARD_OF_THREE_LINES, 0, 20, "B")]
#[case::end_of_long_number(&CARD_WITH_LONG_NUMBER, 0, 16, "5")]
#[case::digit_of_long_number(&CARD_WITH_LONG_NUMBER, 0, 18, "8")]
#[case::no_digit_of_long_number(&CARD_WITH_LONG_NUMBER, 0, 15, "<")]
fn r19_changed_cards_are_refused(#[case] lines: &[&str], #[case] line: usize, #[case] from: usize, #[case] text: &str) {
    assert_eq!(parse_with(lines, line, from, text), Err(MrzError::CheckDigit));
}

#[rstest]
#[case::passport_of_three_lines(&CARD_OF_THREE_LINES, "P<")]
#[case::passport_of_two_short_lines(&CARD_OF_TWO_LINES, "P<")]
#[case::visa_of_two_short_lines(&CARD_OF_TWO_LINES, "V<")]
#[case::second_letter_of_visas(&CARD_OF_THREE_LINES, "IV")]
#[case::certificate_of_a_crew_member(&CARD_OF_THREE_LINES, "AC")]
#[case::misread_second_letter(&CARD_OF_THREE_LINES, "I0")]
fn r19_a_layout_belongs_to_its_codes(#[case] lines: &[&str], #[case] code: &str) {
    assert_eq!(parse_with(lines, 0, 0, code), Err(MrzError::DocumentCode));
}

#[test]
fn r19_only_belgium_covers_the_filler_by_a_check_digit() {
    let line = BELGIAN_CARD[0].replace("BEL", "NLD");
    assert_eq!(parse(&[&line, BELGIAN_CARD[1], BELGIAN_CARD[2]]), Err(MrzError::CheckDigit));
    // The digit of the standard is right in Belgium, too; the digit of the whole is that of the other one.
    assert!(parse(&["IDBEL600001795<0152<<<<<<<<<<<", "1301014F2311207BEL130101987398", BELGIAN_CARD[2]]).is_ok());
}

#[rstest]
#[case::number(1, 5, "2")]
#[case::digit_of_the_number(1, 12, "5")]
#[case::birth_date(1, 28, "1")]
#[case::surname(0, 5, "R")]
#[case::place_of_issue(0, 30, "8")]
#[case::given_name(1, 13, "K")]
#[case::sex(1, 34, "M")]
#[case::digit_of_the_whole(1, 35, "3")]
fn r19_a_changed_french_card_is_refused(#[case] line: usize, #[case] from: usize, #[case] text: &str) {
    assert_eq!(parse_with(&FRENCH_CARD, line, from, text), Err(MrzError::CheckDigit));
}

#[rstest]
#[case::none(&[])]
#[case::one_line(&PASSPORT[..1])]
#[case::lines_of_two_sizes(&[PASSPORT[0], CARD_OF_TWO_LINES[1]])]
#[case::three_long_lines(&[PASSPORT[0], PASSPORT[1], PASSPORT[1]])]
#[case::bytes_are_not_characters(&["P<UTOÆRIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<", PASSPORT[1]])]
fn r19_lines_of_another_form_are_refused(#[case] lines: &[&str]) {
    assert_eq!(parse(lines), Err(MrzError::Form));
}

/// A document in the kind, issuer and number of a zone, also of Utopia, which issues no documents.
fn document(kind: DocumentKind, issuer: &str, number: &str) -> Document {
    let document = Document::parse(kind, "SWE", number).unwrap();
    Document { issuer: issuer.to_owned(), ..document }
}

#[rstest]
#[case::as_entered("UTO", "L898902C3", "1974-08-12", true)]
#[case::another_number("UTO", "L898902C4", "1974-08-12", false)]
#[case::another_issuer("SWE", "L898902C3", "1974-08-12", false)]
#[case::another_birth_date("UTO", "L898902C3", "1974-08-13", false)]
fn r19_the_zone_must_agree_with_the_fields(
    #[case] issuer: &str,
    #[case] number: &str,
    #[case] birth_date: &str,
    #[case] agrees: bool,
) {
    let mrz = parse(&PASSPORT).unwrap();
    let document = document(DocumentKind::Passport, issuer, number);
    assert_eq!(mrz.agrees_with(&document, day(birth_date)), agrees);
}

#[rstest]
#[case(DocumentKind::Passport, "P", true)]
#[case::diplomatic(DocumentKind::Passport, "PD", true)]
#[case::official(DocumentKind::Passport, "PO", true)]
#[case(DocumentKind::Passport, "I", false)]
#[case(DocumentKind::IdentityCard, "I", true)]
#[case(DocumentKind::IdentityCard, "ID", true)]
#[case(DocumentKind::IdentityCard, "P", false)]
#[case::residence_permit_as_identity_card(DocumentKind::IdentityCard, "IR", false)]
#[case(DocumentKind::ResidencePermit, "AR", true)]
#[case(DocumentKind::ResidencePermit, "C", true)]
#[case(DocumentKind::ForeignMinistryCard, "I", true)]
#[case(DocumentKind::ForeignMinistryCard, "PD", false)]
#[case(DocumentKind::MunicipalIdentityCard, "I", false)]
#[case(DocumentKind::DrivingLicence, "I", false)]
fn r19_the_zone_must_agree_with_the_kind(#[case] kind: DocumentKind, #[case] code: &str, #[case] agrees: bool) {
    let mrz = Mrz { document_code: code.into(), ..parse(&PASSPORT).unwrap() };
    let document = document(kind, "UTO", "L898902C3");
    assert_eq!(mrz.agrees_with(&document, day("1974-08-12")), agrees);
}

#[rstest]
#[case::danish("DNK", "DNK", true)]
#[case::greenlandic("DNK", "GRL", true)]
#[case::faroese("DNK", "FRO", true)]
#[case::german("D", "DEU", true)]
#[case::of_gibraltar("GBD", "GBR", true)]
#[case::swedish("SWE", "DNK", false)]
fn r19_the_zone_must_agree_with_the_issuer(#[case] read: &str, #[case] entered: &str, #[case] agrees: bool) {
    let mrz = Mrz { issuer: read.into(), ..parse(&PASSPORT).unwrap() };
    let document = document(DocumentKind::Passport, entered, "L898902C3");
    assert_eq!(mrz.agrees_with(&document, day("1974-08-12")), agrees);
}

#[rstest]
#[case("74<<<<", "1974-08-12", true)]
#[case("<<<<<<", "1974-08-12", true)]
#[case("75<<<<", "1974-08-12", false)]
#[case::unknown_to_the_register("740812", "1974-00-00", true)]
#[case::another_year_than_in_the_register("750812", "1974-00-00", false)]
fn r19_unknown_parts_of_a_birth_date_agree_with_every_date(
    #[case] read: &str,
    #[case] birth_date: &str,
    #[case] agrees: bool,
) {
    let mrz = Mrz { birth_date: read.into(), ..parse(&PASSPORT).unwrap() };
    let document = document(DocumentKind::Passport, "UTO", "L898902C3");
    assert_eq!(mrz.agrees_with(&document, BirthDate::parse(birth_date, true).unwrap()), agrees);
}

#[rstest]
#[case("P", "UTO", false)]
#[case("PP", "DNK", false)]
#[case("PD", "DNK", false)]
#[case("PO", "DNK", false)]
#[case::emergency_passport("PE", "DNK", true)]
#[case::provisional_german_card("IT", "D", true)]
#[case("IT", "PRT", false)]
#[case("ID", "D", false)]
fn r19_emergency_documents_are_temporary(#[case] code: &str, #[case] issuer: &str, #[case] temporary: bool) {
    let mrz = Mrz { document_code: code.into(), issuer: issuer.into(), ..parse(&PASSPORT).unwrap() };
    assert_eq!(mrz.is_temporary(), temporary);
}

#[rstest]
#[case::nearest_to_today("120415", "2012-04-15", Some("2012-04-15"))]
#[case::of_this_century("310820", "2026-11-23", Some("2031-08-20"))]
#[case::expired_last_century("990820", "2026-11-23", Some("1999-08-20"))]
#[case::no_such_day("310832", "2026-11-23", None)]
fn r19_the_century_of_the_expiry_is_the_nearest(
    #[case] read: &str,
    #[case] today: &str,
    #[case] expected: Option<&str>,
) {
    let mrz = Mrz { expiry_date: Some(read.into()), ..parse(&PASSPORT).unwrap() };
    assert_eq!(mrz.expiry_date(day(today)), expected.map(day));
    assert_eq!(Mrz { expiry_date: None, ..mrz }.expiry_date(day(today)), None);
}

#[rstest]
#[case::danish("DNK", "0101801234<", Some("0101801234"))]
#[case::second_field_of_a_card("DNK", "<0101801234", Some("0101801234"))]
#[case::no_date("DNK", "3102801234<", None)]
#[case::other_data("DNK", "AB1234<", None)]
#[case::nothing("DNK", "<", None)]
#[case::of_another_country("SWE", "0101801234<", None)]
fn r19_danish_zones_show_a_cpr_number(#[case] issuer: &str, #[case] optional: &str, #[case] expected: Option<&str>) {
    let mrz = Mrz { issuer: issuer.into(), optional: optional.into(), ..parse(&PASSPORT).unwrap() };
    assert_eq!(mrz.cpr_number().as_ref().map(CprNumber::digits), expected);
}

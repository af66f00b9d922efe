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

fn parse(lines: &[&str]) -> Result<Mrz, MrzError> {
    Mrz::parse(&lines.iter().map(ToString::to_string).collect::<Vec<_>>())
}

fn parse_with(lines: &[&str], line: usize, from: usize, text: &str) -> Result<Mrz, MrzError> {
    let mut lines: Vec<String> = lines.iter().map(ToString::to_string).collect();
    lines[line].replace_range(from..from + text.len(), text);
    Mrz::parse(&lines)
}

#[rstest]
#[case(&PASSPORT, b'P', "L898902C3", "740812", "120415")]
#[case(&CARD_OF_TWO_LINES, b'I', "D23145890", "740812", "120415")]
#[case(&CARD_OF_THREE_LINES, b'I', "D23145890", "740812", "120415")]
#[case(&CARD_WITH_LONG_NUMBER, b'I', "D23145890734", "340712", "950712")]
fn r19_the_specimens_are_read(
    #[case] lines: &[&str],
    #[case] code: u8,
    #[case] number: &str,
    #[case] birth_date: &str,
    #[case] expiry_date: &str,
) {
    let mrz = parse(lines).unwrap();
    let read = (mrz.document_code, &*mrz.issuer, &*mrz.number, &*mrz.birth_date, &*mrz.expiry_date);
    assert_eq!(read, (code, "UTO", number, birth_date, expiry_date));
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
#[case::visa(0, 0, "V", MrzError::Form)]
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
#[case::none(&[])]
#[case::one_line(&PASSPORT[..1])]
#[case::lines_of_two_sizes(&[PASSPORT[0], CARD_OF_TWO_LINES[1]])]
#[case::three_long_lines(&[PASSPORT[0], PASSPORT[1], PASSPORT[1]])]
#[case::bytes_are_not_characters(&["P<UTOÆRIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<", PASSPORT[1]])]
fn r19_lines_of_another_form_are_refused(#[case] lines: &[&str]) {
    assert_eq!(parse(lines), Err(MrzError::Form));
}

fn document(kind: DocumentKind, issuer: &str, number: &str) -> Document {
    Document::parse(kind, issuer, number).unwrap()
}

fn registered(expiry_date: &str) -> Option<RegisteredDocument> {
    Some(RegisteredDocument {
        holder_cpr_number: None,
        holder_mitid_uuid: None,
        good_standing: true,
        expiry_date: day(expiry_date),
        provisional: false,
    })
}

#[rstest]
#[case::as_entered("UTO", "L898902C3", "1974-08-12", None, "2012-04-15", true)]
#[case::as_registered("UTO", "L898902C3", "1974-08-12", registered("2012-04-15"), "2012-04-15", true)]
#[case::expired("UTO", "L898902C3", "1974-08-12", None, "2012-04-16", false)]
#[case::expired_long_ago("UTO", "L898902C3", "1974-08-12", None, "2061-01-01", false)]
#[case::registered_with_another_expiry("UTO", "L898902C3", "1974-08-12", registered("2014-04-15"), "2012-04-15", false)]
#[case::another_number("UTO", "L898902C4", "1974-08-12", None, "2012-04-15", false)]
#[case::another_issuer("SWE", "L898902C3", "1974-08-12", None, "2012-04-15", false)]
#[case::another_birth_date("UTO", "L898902C3", "1974-08-13", None, "2012-04-15", false)]
fn r19_the_zone_must_agree_with_the_fields_and_the_register(
    #[case] issuer: &str,
    #[case] number: &str,
    #[case] birth_date: &str,
    #[case] registered: Option<RegisteredDocument>,
    #[case] today: &str,
    #[case] agrees: bool,
) {
    let mrz = parse(&PASSPORT).unwrap();
    let document = document(DocumentKind::Passport, issuer, number);
    assert_eq!(mrz.agrees_with(&document, registered.as_ref(), day(birth_date), day(today)), agrees);
}

#[rstest]
#[case(DocumentKind::Passport, b'P', true)]
#[case(DocumentKind::Passport, b'I', false)]
#[case(DocumentKind::IdentityCard, b'I', true)]
#[case(DocumentKind::IdentityCard, b'P', false)]
#[case(DocumentKind::ResidencePermit, b'A', true)]
#[case(DocumentKind::ResidencePermit, b'C', true)]
#[case(DocumentKind::DrivingLicence, b'I', false)]
fn r19_the_zone_must_agree_with_the_kind(#[case] kind: DocumentKind, #[case] code: u8, #[case] agrees: bool) {
    let mrz = Mrz { document_code: code, ..parse(&PASSPORT).unwrap() };
    let document = document(kind, "UTO", "L898902C3");
    assert_eq!(mrz.agrees_with(&document, None, day("1974-08-12"), day("2012-01-01")), agrees);
}

#[rstest]
#[case::danish("DNK", "DNK", true)]
#[case::greenlandic("DNK", "GRL", true)]
#[case::faroese("DNK", "FRO", true)]
#[case::german("D", "DEU", true)]
#[case::swedish("SWE", "DNK", false)]
fn r19_the_zone_must_agree_with_the_issuer(#[case] read: &str, #[case] entered: &str, #[case] agrees: bool) {
    let mrz = Mrz { issuer: read.into(), ..parse(&PASSPORT).unwrap() };
    let document = document(DocumentKind::Passport, entered, "L898902C3");
    assert_eq!(mrz.agrees_with(&document, None, day("1974-08-12"), day("2012-01-01")), agrees);
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
    assert_eq!(
        mrz.agrees_with(&document, None, BirthDate::parse(birth_date, true).unwrap(), day("2012-01-01")),
        agrees
    );
}

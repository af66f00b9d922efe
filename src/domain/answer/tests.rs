use rstest::rstest;

use super::super::fixture::certain;
use super::FactKind::{
    Birthplace, ChildBirthDate, MotherBirthDate, MovedInYear, PreviousMunicipality, PreviousRoad, PreviousSurname,
    WeddingYear,
};
use super::*;

#[rstest]
#[case::case("NØRREBROGADE", "Nørrebrogade", true)]
#[case::spaces("  nørre brogade ", "Nørrebrogade", true)]
#[case::oe("Noerrebrogade", "Nørrebrogade", true)]
#[case::swedish_oe("Nörrebrogade", "Nørrebrogade", true)]
#[case::not_just_o("Norrebrogade", "Nørrebrogade", false)]
#[case::aa("Aaboulevarden", "Åboulevarden", true)]
#[case::aa_in_the_fact("Åboulevarden", "Aaboulevarden", true)]
#[case::aa_decomposed("A\u{30a}boulevarden", "Åboulevarden", true)]
#[case::ae("Laessoeesgade", "Læssøesgade", true)]
#[case::swedish_ae("Lässøesgade", "Læssøesgade", true)]
#[case::accent("Allégade", "Allegade", true)]
#[case::accent_decomposed("Alle\u{301}gade", "Allégade", true)]
#[case::umlaut("Mullersvej", "Müllersvej", true)]
#[case::umlaut_as_in_passports("Muellersvej", "Müllersvej", true)]
#[case::two_names("Mullersvej", "Muellersvej", false)]
#[case::punctuation("HC Andersens Boulevard", "H.C. Andersens Boulevard", true)]
#[case::apostrophe("D’Angelos Vej", "DAngelos Vej", true)]
#[case::hyphen("Ny-Vestergade", "Ny Vestergade", true)]
#[case::numbers_matter("2. Tværvej", "3. Tværvej", false)]
#[case::prefix("Nørrebro", "Nørrebrogade", false)]
#[case::another_road("Vesterbrogade", "Nørrebrogade", false)]
#[case::empty("", "Nørrebrogade", false)]
#[case::no_letters_never_match(" - ", "...", false)]
fn r17_names_match_despite_spelling(#[case] answer: &str, #[case] fact: &str, #[case] right: bool) {
    for kind in [PreviousRoad, Birthplace, PreviousSurname] {
        assert_eq!(is_right(kind, answer, &[certain(kind, fact)]), right);
    }
}

#[rstest]
#[case("københavns kommune", "København", true)]
#[case("København", "Københavns Kommune", true)]
#[case("Copenhagen", "København", true)]
#[case("Bornholm", "Bornholms Regionskommune", true)]
#[case("Municipality of Aarhus", "Aarhus", true)]
#[case("Randers Kommune", "Randers", true)]
#[case("Qeqqata", "Qeqqata Kommunia", true)]
#[case("Sermersooq", "Kommuneqarfik Sermersooq", true)]
#[case("kommune", "Kommune", false)]
fn r17_municipalities_match_with_and_without_the_word(#[case] answer: &str, #[case] fact: &str, #[case] right: bool) {
    assert_eq!(is_right(PreviousMunicipality, answer, &[certain(PreviousMunicipality, fact)]), right);
}

#[rstest]
#[case("1.2.1980", true)]
#[case("01-02-1980", true)]
#[case("1/2 1980", true)]
#[case("01 02 1980", true)]
#[case("1. februar 1980", true)]
#[case("1.februar1980", true)]
#[case("den 1. Feb. 1980", true)]
#[case("1st of February 1980", true)]
#[case("February 1, 1980", true)]
#[case("1980-02-01", true)]
#[case("1980 februar 1", true)]
#[case("19800201", true)]
#[case("010280", true)]
#[case("01021980", true)]
#[case("1.2.80", true)]
#[case("１.２.１９８０", true)]
#[case::american("2/1/1980", false)]
#[case::another_day("2.2.1980", false)]
#[case::another_month("1. marts 1980", false)]
#[case::another_year("1.2.1981", false)]
#[case::another_century("1.2.1880", false)]
#[case::no_such_day("30.2.1980", false)]
#[case::no_year("1. februar", false)]
#[case::year_alone("1980", false)]
#[case::two_dates("1.2.1980 2.2.1980", false)]
#[case::two_letters_do_not_name_a_month("1. fe 1980", false)]
#[case::words("i februar", false)]
#[case::a_day_beyond_any_number("99999999999999999999.2.1980", false)]
fn r17_dates_match_in_every_accepted_form(#[case] answer: &str, #[case] right: bool) {
    assert_eq!(is_right(MotherBirthDate, answer, &[certain(MotherBirthDate, "1980-02-01")]), right);
}

#[rstest]
#[case("maj", 5)]
#[case("May", 5)]
#[case("oktober", 10)]
#[case("oct", 10)]
#[case("juni", 6)]
#[case("july", 7)]
#[case("sept.", 9)]
#[case("marts", 3)]
#[case("december", 12)]
fn r17_months_are_known_by_name(#[case] month: &str, #[case] number: u32) {
    let fact = certain(MotherBirthDate, &format!("1980-{number:02}-09"));
    assert!(is_right(MotherBirthDate, &format!("9. {month} 1980"), &[fact]));
}

#[rstest]
#[case("2010", true)]
#[case(" 2010. ", true)]
#[case("10", false)]
#[case("2011", false)]
#[case("02010", false)]
#[case("i 2010", true)]
#[case("1.6.2010", false)]
#[case("2010-2011", false)]
fn r17_years_have_four_digits(#[case] answer: &str, #[case] right: bool) {
    for kind in [WeddingYear, MovedInYear] {
        assert_eq!(is_right(kind, answer, &[certain(kind, "2010")]), right);
    }
}

#[rstest]
#[case::first_child("1.2.2008", true)]
#[case::second_child("3.4.2011", true)]
#[case::uncertain_child("5.6.2014", false)]
#[case::mother("7.8.1950", false)]
fn r16_every_certain_fact_of_the_kind_is_a_right_answer(#[case] answer: &str, #[case] right: bool) {
    let facts = [
        certain(MotherBirthDate, "1950-08-07"),
        certain(ChildBirthDate, "2008-02-01"),
        certain(ChildBirthDate, "2011-04-03"),
        Fact { certain: false, ..certain(ChildBirthDate, "2014-06-05") },
    ];
    assert_eq!(is_right(ChildBirthDate, answer, &facts), right);
}

#[rstest]
#[case::house_number_and_floor(PreviousRoad, "Nørregade 12, 2. tv", "Nørregade", true)]
#[case::another_road_in_the_same_house(PreviousRoad, "Søndergade 12, 2. tv", "Nørregade", false)]
#[case::roads_that_differ_by_a_number(PreviousRoad, "Vej 7", "Vej 5", false)]
#[case::year_with_a_word(MovedInYear, "i 2010", "2010", true)]
#[case::greenlandic_month(MotherBirthDate, "1. februaari 1980", "1980-02-01", true)]
#[case::english_name(PreviousMunicipality, "Copenhagen", "København", true)]
#[case::parish(Birthplace, "Skejby", "Skejby Sogn", true)]
#[case::born_in(Birthplace, "født i Skejby", "Skejby Sogn", true)]
#[case::letter_that_does_not_decompose(PreviousSurname, "Walesa", "Wałęsa", true)]
#[case::apostrophe(PreviousSurname, "D\u{2bc}Angelo", "D'Angelo", true)]
fn r17_what_honest_people_say_is_right(
    #[case] kind: FactKind,
    #[case] answer: &str,
    #[case] fact: &str,
    #[case] right: bool,
) {
    assert_eq!(is_right(kind, answer, &[certain(kind, fact)]), right);
}

#[test]
fn r16_every_value_of_a_fact_is_a_right_answer() {
    let values = ["Skejby Sogn", "Aarhus", "Aarhus Kommune"].map(str::to_owned).to_vec();
    let fact = Fact { values, ..certain(Birthplace, "") };
    for answer in ["Skejby", "Århus", "Aarhus Kommune"] {
        assert!(is_right(Birthplace, answer, std::slice::from_ref(&fact)), "{answer}");
    }
    assert!(!is_right(Birthplace, "Aalborg", &[fact]));
}

#[rstest]
#[case::a_town(Birthplace, &["Aarhus"], true)]
#[case::a_parish(Birthplace, &["Skejby Sogn"], false)]
#[case::a_parish_and_its_town(Birthplace, &["Skejby Sogn", "Aarhus"], true)]
#[case::the_code_of_a_country(Birthplace, &["5180"], false)]
#[case::a_surname_like_a_parish(PreviousSurname, &["Sogn"], true)]
#[case::no_value(Birthplace, &[], false)]
#[case::no_letters(PreviousRoad, &["..."], false)]
fn r16_the_birthplace_is_asked_only_where_the_register_has_what_a_person_would_say(
    #[case] kind: FactKind,
    #[case] values: &[&str],
    #[case] asked: bool,
) {
    let values: Vec<String> = values.iter().map(ToString::to_string).collect();
    let fact = Fact { kind, values, certain: true };
    assert_eq!(can_be_asked(&fact), asked);
    assert!(!can_be_asked(&Fact { certain: false, ..fact }));
}

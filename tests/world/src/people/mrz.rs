//! Writes the machine readable zones of the cast's documents (ICAO 9303 parts 4 and 5). The code is independent of the
//! service's reader, because tests check the reader with these zones.

use chrono::NaiveDate;
use temporary_pin::proto::temporarypin::v1::document::{CprNumberShown, Kind};

use super::person::{Document, Person};

/// The lines of a document. Empty if its kind has no machine readable zone.
pub(super) fn lines(document: &Document, person: &Person) -> Vec<String> {
    match document.kind {
        Kind::Passport => passport(document, person),
        Kind::IdentityCard if document.issuer == "FRA" => french_card(document, person),
        Kind::IdentityCard | Kind::ForeignMinistryCard => card("I<", document, person),
        Kind::ResidencePermit => card("IR", document, person),
        Kind::DrivingLicence | Kind::MunicipalIdentityCard | Kind::Unspecified => Vec::new(),
    }
}

/// Two lines of 44 (TD3). Danish passports carry the CPR number, and Denmark issues the Greenlandic and Faroese ones.
fn passport(document: &Document, person: &Person) -> Vec<String> {
    let danish = ["DNK", "GRL", "FRO"].contains(&document.issuer);
    let issuer = if danish { "DNK" } else { issuer(document) };
    let shows_cpr_number = danish && document.cpr_number_shown == CprNumberShown::Yes;
    let own = person.cpr_number.as_deref().filter(|_| shows_cpr_number);
    let personal = document.zone_cpr_number.as_deref().or(own).unwrap_or_default();
    let code = document.zone_code.unwrap_or("P<");
    let first = fill(&format!("{code}{issuer}{}", name(&person.name)), 44);
    let number = checked(&fill(&document.number, 9));
    let birth = checked(&date(person.birth_date));
    let expiry = checked(&date(document.shown_expiry_date()));
    let personal = if personal.is_empty() { "<".repeat(15) } else { checked(&fill(personal, 14)) };
    let all = check_digit(&format!("{number}{birth}{expiry}{personal}"));
    vec![first, format!("{number}{issuer}{birth}<{expiry}{personal}{all}")]
}

/// Three lines of 30 (TD1).
fn card(code: &str, document: &Document, person: &Person) -> Vec<String> {
    let number = card_number(document);
    let first = fill(&format!("{code}{}{number}", issuer(document)), 30);
    let birth = checked(&date(person.birth_date));
    let expiry = checked(&date(document.shown_expiry_date()));
    let optional = "<".repeat(11);
    let all = check_digit(&format!("{}{birth}{expiry}{optional}", &first[5..]));
    let second = format!("{birth}<{expiry}{}{optional}{all}", issuer(document));
    vec![first, second, fill(&name(&person.name), 30)]
}

/// The number with its check digit. A long one continues after a filler in the place of the check digit. Belgium's check digit
/// covers that filler, too (PRADO, BEL-BO-03003).
fn card_number(document: &Document) -> String {
    match document.number.split_at_checked(9) {
        Some((first, rest)) if !rest.is_empty() => {
            let covered = if document.issuer == "BEL" { format!("{first}<{rest}") } else { document.number.clone() };
            format!("{first}<{rest}{}", check_digit(&covered))
        }
        _ => checked(&fill(&document.number, 9)),
    }
}

/// Two lines of 36, in the layout of the French card until 2021. It has no expiry.
fn french_card(document: &Document, person: &Person) -> Vec<String> {
    let name = name(&person.name);
    let (surname, given) = name.split_once("<<").unwrap_or((&name, ""));
    let first = format!("IDFRA{}751042", fill(surname, 25));
    let number = checked(&document.number);
    let birth = checked(&date(person.birth_date));
    let second = format!("{number}{}{birth}F", fill(&given.replace('<', "<<"), 14));
    let all = check_digit(&format!("{first}{second}"));
    vec![first, format!("{second}{all}")]
}

/// Germany's code is one letter here (ICAO 9303-3, section 5).
fn issuer(document: &Document) -> &'static str {
    if document.issuer == "DEU" { "D<<" } else { document.issuer }
}

/// `SURNAME<<GIVEN<NAMES`, the last word being the surname.
fn name(name: &str) -> String {
    let upper: String = name.to_uppercase().chars().map(latin).collect();
    let (given, surname) = upper.rsplit_once(' ').unwrap_or((upper.as_str(), ""));
    format!("{surname}<<{}", given.replace(' ', "<"))
}

/// A letter as the zone writes it (ICAO 9303-3, section 6), or the filler.
fn latin(letter: char) -> String {
    match letter {
        'A'..='Z' | ' ' => return letter.to_string(),
        'Æ' | 'Ä' => "AE",
        'Ø' | 'Ö' => "OE",
        'Å' => "AA",
        'Ü' => "UE",
        'Á' => "A",
        'É' => "E",
        'Í' => "I",
        'Ó' => "O",
        'Ú' => "U",
        'Ý' => "Y",
        'Ð' => "D",
        _ => "<",
    }
    .to_owned()
}

fn date(date: NaiveDate) -> String {
    date.format("%y%m%d").to_string()
}

fn fill(text: &str, length: usize) -> String {
    text.chars().chain(std::iter::repeat('<')).take(length).collect()
}

/// The field with its check digit.
fn checked(field: &str) -> String {
    format!("{field}{}", check_digit(field))
}

/// Weights 7, 3, 1; digits count as themselves, letters from A = 10, the filler as 0 (ICAO 9303-3, 4.9).
fn check_digit(field: &str) -> u32 {
    field
        .chars()
        .zip([7, 3, 1].into_iter().cycle())
        .map(|(c, weight)| c.to_digit(36).unwrap_or(0) * weight)
        .sum::<u32>()
        % 10
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The figures of the specimen in ICAO 9303-4, appendix A.
    #[test]
    fn check_digits_are_those_of_the_icao_specimen() {
        assert_eq!(checked("L898902C3"), "L898902C36");
        assert_eq!(checked("740812"), "7408122");
        assert_eq!(checked("120415"), "1204159");
        assert_eq!(checked("ZE184226B<<<<<"), "ZE184226B<<<<<1");
        assert_eq!(check_digit("L898902C3674081221204159ZE184226B<<<<<1"), 0);
    }

    #[test]
    fn names_are_written_in_the_letters_of_the_zone() {
        assert_eq!(name("Åse Marie Ærø-Øby"), "AEROE<OEBY<<AASE<MARIE");
        assert_eq!(name("Jákup Dam"), "DAM<<JAKUP");
    }
}

//! One person for every CPR status, and the ages on either side of the limit (R11, R12).

use chrono::{Datelike as _, Days, Months};
use chrono_tz::Europe::Copenhagen;
use temporary_pin::proto::identityregister::v1::{BirthDateCertainty, ProtectionType};
use temporary_pin::proto::temporarypin::v1::Reason;
use temporary_pin::proto::temporarypin::v1::document::{CprNumberShown, Kind as DocumentKind};
use temporary_pin::proto::temporarypin::v1::supporting_document::Kind as SupportingDocumentKind;

use super::expected::{Expectation, Expected, Outcome};
use super::person::{Document, Opening, Person, cpr_number};

pub(super) fn cast(opening: Opening) -> Vec<Person> {
    let with_status = |number, id: &str, name: &str, status: &'static str| {
        Person::ordinary(number, id, name, opening).with(|person| person.cpr_status = status)
    };
    let unclear = || Expected::counter_only(Expectation::never([Reason::CprStatusUnclear]));
    let in_person = || Expected::counter_only(Expectation::never([Reason::InPersonOnly]));
    let counter_only = || Expected::counter_only(Expectation::never([Reason::CounterOnly]));
    vec![
        with_status(30, "no-fixed-abode", "Albert Ager", "03")
            .story("CPR status 03, no fixed abode in Denmark: as ordinary as anybody."),
        with_status(31, "greenland", "Aviaja Petersen", "05")
            .account(|account| {
                account.language = "kl";
                account.mobile_number = Some("+299221031".into());
            })
            .story("Lives in Greenland (status 05), Greenlandic language and mobile number."),
        with_status(32, "greenland-no-fixed-abode", "Malik Olsen", "07")
            .account(|account| account.mobile_number = Some("+299551032".into()))
            .story("CPR status 07, no fixed abode in Greenland: as ordinary as anybody."),
        with_status(33, "reserved-number", "Bente Borg", "10")
            .never(Reason::CprNumberNotValid)
            .story("CPR status 10: the number is only reserved."),
        with_status(34, "tax-only", "Clara Carlsson", "20")
            .expected(counter_only())
            .story("CPR status 20, a number for tax reasons: only the counter helps."),
        with_status(35, "annulled-number", "Dorte Due", "30")
            .never(Reason::CprNumberNotValid)
            .story("CPR status 30: the number is annulled."),
        with_status(36, "deleted-number", "Erik Ebbesen", "50")
            .never(Reason::CprNumberNotValid)
            .story("CPR status 50: the number was a duplicate and is deleted."),
        renumbered(Person::ordinary(37, "renumbered", "Freja Falk", opening), 137)
            .story("CPR status 60 under this number: the register names the number that replaced it, which serves: the birth date was corrected."),
        renumbered(Person::ordinary(110, "deleted-duplicate", "Finn Fabricius", opening), 210)
            .with(|person| person.replaced_status = "50")
            .story("CPR status 50 under this number, a duplicate that was deleted: the register names the number that remains."),
        with_status(111, "not-updated", "Gerda Geisler", "97")
            .expected(unclear())
            .story("Status 97, as Greenlandic systems have it: not updated from CPR. Only the counter helps."),
        with_status(112, "status-unknown", "Hroar Hvid", "99")
            .expected(unclear())
            .story("Status 99, unknown: only the counter helps."),
        with_status(113, "status-nobody-knows", "Iben Illum", "08")
            .expected(unclear())
            .story("A CPR status that the service does not know: only the counter helps."),
        Person::ordinary(114, "credit-warning", "Jens Jakobi", opening)
            .with(|person| person.protection_types = vec![ProtectionType::CreditWarning])
            .expected(in_person())
            .story("Asked for a credit warning after identity theft: only the counter helps, and the reason does not tell why."),
        Person::ordinary(115, "uncertain-birth-date", "Karla Kierkegaard", opening)
            .with(|person| person.birth_date_certainty = BirthDateCertainty::Uncertain)
            .expected(in_person())
            .story("The register marks the birth date as uncertain: only the counter helps."),
        Person::ordinary(116, "birth-day-unknown", "Leo Lassen", opening)
            .with(|person| person.registered_birth_date = Some(person.birth_date.format("%Y-00-00").to_string()))
            .expected(in_person())
            .story("The register knows the year of birth only: only the counter helps."),
        with_status(38, "renumbered-to-nowhere", "Gunnar Gade", "60")
            .never(Reason::CprNumberNotValid)
            .story("CPR status 60, but the register does not say by which number: clear it up with the municipality."),
        with_status(39, "disappeared", "Hanne Hald", "70")
            .never(Reason::PersonDisappeared)
            .story("CPR status 70: disappeared."),
        with_status(40, "emigrated", "Ivar Ibsen", "80")
            .expected(counter_only())
            .story("CPR status 80, emigrated: only the counter helps."),
        with_status(41, "dead", "Jytte Jessen", "90")
            .never(Reason::PersonDead)
            .story("CPR status 90: dead, though MitID has not been closed yet."),
        Person::ordinary(42, "replacement-number", "Kaj Kruse", opening)
            .with(|person| person.cpr_number = person.cpr_number.as_deref().map(replacement_number))
            .never(Reason::CprNumberNotValid)
            .story("A replacement number (the day raised by 60) is no real CPR number."),
        without_cpr_number(Person::ordinary(43, "no-cpr-number", "Liam Larkin", opening), opening),
        Person::ordinary(44, "thirteen-today", "Mille Mygind", opening)
            .with(|person| person.birth_date = opening.today - Months::new(13 * 12))
            .account(|account| account.enrolment_time = opening.hours_ago(1))
            .story("Turns 13 today, and may."),
        thirteen_tomorrow(Person::ordinary(45, "thirteen-tomorrow", "Noah Nørby", opening), opening),
    ]
}

/// `number` makes the person's new CPR number.
fn renumbered(person: Person, number: u32) -> Person {
    person.with(|person| {
        let (successor, birth_date) = cpr_number(number);
        person.successor_cpr_number = Some(successor);
        person.birth_date = birth_date;
    })
}

/// The document names the MitID account, because there is no CPR number.
fn without_cpr_number(person: Person, opening: Opening) -> Person {
    person
        .with(|person| {
            person.cpr_number = None;
            person.cpr_status = "";
            person.facts.clear();
            person.supporting_document = Some(SupportingDocumentKind::SpecialHealthCard);
        })
        .only_document(Document {
            cpr_number_shown: CprNumberShown::No,
            ..Document::new(DocumentKind::ResidencePermit, "DNK", "RP0000043", opening)
        })
        .expected(Expected { phone: Expectation::never([Reason::InsufficientData]), ..Expected::ordinary() })
        .verification("phone", Outcome::invalid())
        .verification("counter", Outcome::rejected(Reason::DocumentNotAccepted))
        .verification("counter_with_supporting_document", Outcome::rejected(Reason::InsufficientData))
        .verification("counter_with_witness", Outcome::verified())
        .story("No CPR number, known by the MitID UUID alone: a residence permit, a special health card and a witness.")
}

fn thirteen_tomorrow(person: Person, opening: Opening) -> Person {
    // 13 years after a 29 February there is no 29 February.
    let tomorrow = opening.today + Days::new(1);
    let birthday = if (tomorrow.month(), tomorrow.day()) == (2, 29) { tomorrow + Days::new(1) } else { tomorrow };
    let midnight = birthday.and_time(chrono::NaiveTime::MIN).and_local_timezone(Copenhagen).earliest();
    let until = midnight.map(|midnight| midnight.to_utc());
    person
        .with(|person| person.birth_date = birthday - Months::new(13 * 12))
        .account(|account| account.enrolment_time = opening.hours_ago(1))
        .expected(Expected::everywhere(Expectation::not_yet(Reason::TooYoung, until)))
        .story("Turns 13 tomorrow: not before midnight in Copenhagen.")
}

fn replacement_number(number: &str) -> String {
    let day: u32 = number[..2].parse().unwrap_or_default();
    format!("{}{}", day + 60, &number[2..])
}

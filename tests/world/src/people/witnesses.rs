//! Witnesses, some of whom are not accepted (R20), and clerks who are persons of the cast.

use chrono::{Days, Months};
use temporary_pin::proto::identityregister::v1::document::State;
use temporary_pin::proto::temporarypin::v1::Reason;

use super::expected::{Expected, Outcome};
use super::person::{Opening, Person};

/// The answer in the situation `as_witness` is the counter's answer about a person for whom this person vouches.
pub(super) fn cast(opening: Opening) -> Vec<Person> {
    let ordinary = |number, id: &str, name: &str| Person::ordinary(number, id, name, opening);
    vec![
        good(ordinary(90, "witness", "Aksel Arp")).story("May witness: of age, MitID for years, own valid passport."),
        good(ordinary(91, "witness-2", "Birgit Birk"))
            .story("May witness, when the other one has done so three times."),
        good(ordinary(92, "witness-just-18", "Carl Cold"))
            .with(|person| person.birth_date = opening.today - Months::new(18 * 12))
            .story("Turned 18 today: may witness."),
        refused(ordinary(93, "witness-17", "Dagmar Dahl"))
            .with(|person| person.birth_date = opening.today - Months::new(18 * 12) + Days::new(2))
            .story("Not yet 18: may have a PIN, may not witness."),
        good(ordinary(94, "witness-mitid-31-days", "Elmer Elkjær"))
            .account(|account| account.enrolment_time = opening.days_ago(31))
            .story("MitID for 31 days: may witness."),
        refused(ordinary(95, "witness-mitid-29-days", "Fanny Friis"))
            .account(|account| account.enrolment_time = opening.days_ago(29))
            .story("MitID for 29 days only: may not witness."),
        refused(ordinary(96, "witness-without-document", "Georg Gram"))
            .with(|person| person.documents.clear())
            .with(|person| {
                person.expected_verification.retain(|situation, _| ["web", "as_witness"].contains(situation))
            })
            .story("Has no document to show: can neither be identified nor witness."),
        refused(ordinary(97, "witness-lost-passport", "Hilda Hein"))
            .with(|person| person.documents.truncate(1))
            .with(|person| person.documents.iter_mut().for_each(|document| document.state = State::Lost))
            .verification("phone", Outcome::rejected(Reason::IdentityNotConfirmed))
            .verification("counter", Outcome::rejected(Reason::DocumentNotAccepted))
            .story("The witness's own passport is reported lost: may not witness."),
        good(ordinary(98, "clara-clerk", "Clara Kofoed"))
            .story("A clerk who is a person too (agent of the same id): may witness, but never for her own visitors."),
        good(ordinary(99, "klaus-clerk", "Klaus Kok"))
            .story("Another clerk who is a person too (agent of the same id)."),
        good(ordinary(100, "professional-witness", "Lone Lykke")).story(
            "A professional witness (agent of the same id): may vouch as often as needed, with a login as an agent.",
        ),
        refused(ordinary(101, "witness-without-number", "Mogens Munk"))
            .account(|account| account.mobile_number = None)
            .expected(Expected::never(Reason::NoMobileNumber))
            .verification("as_witness", Outcome::rejected(Reason::WitnessNotAccepted))
            .story("No mobile number, so nobody can tell him by SMS that he was a witness: may not witness."),
    ]
}

fn good(person: Person) -> Person {
    person.verification("as_witness", Outcome::verified())
}

fn refused(person: Person) -> Person {
    person.verification("as_witness", Outcome::rejected(Reason::WitnessNotAccepted))
}

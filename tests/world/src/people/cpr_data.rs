//! Persons with few facts in CPR, or with facts that must not be asked about (R16, R17).

use temporary_pin::proto::identityregister::v1::fact::{Certainty, Kind};
use temporary_pin::proto::temporarypin::v1::Reason;

use super::expected::{Expectation, Expected, Outcome};
use super::facts::Fact;
use super::person::{Opening, Person};

const ADDRESS_KINDS: [Kind; 3] = [Kind::PreviousRoad, Kind::MovedInYear, Kind::PreviousMunicipality];

pub(super) fn cast(opening: Opening) -> Vec<Person> {
    let ordinary = |number, id: &str, name: &str| Person::ordinary(number, id, name, opening);
    vec![
        too_little(ordinary(20, "no-data", "Mads Madsen").with(|person| person.facts.clear()))
            .story("CPR holds nothing to ask about: the phone cannot help, a witness at the counter can."),
        too_little(ordinary(21, "little-data", "Nanna Nygaard"))
            .with(|person| person.facts.truncate(2))
            .story("Only two facts to ask about, one fewer than needed: the counter, with a witness."),
        too_little(ordinary(22, "uncertain-data", "Oluf Odgaard"))
            .with(|person| {
                for fact in person.facts.iter_mut().skip(2) {
                    fact.certainty = Certainty::Uncertain;
                }
            })
            .story("Many facts, but the register is sure of two only: as good as little data."),
        ordinary(23, "three-facts", "Pia Pilgaard")
            .with(|person| person.facts.truncate(3))
            .story("Exactly three facts to ask about: after two wrong answers there is no extra question."),
        ordinary(24, "protected-address", "Rikke Ravn")
            .with(|person| person.protected = true)
            .story("Name and address are protected: no question is about an address."),
        too_little(ordinary(25, "protected-little-data", "Søren Skov"))
            .with(|person| {
                person.protected = true;
                person.facts.retain(|fact| {
                    ADDRESS_KINDS.contains(&fact.kind) || [Kind::Birthplace, Kind::WeddingYear].contains(&fact.kind)
                });
            })
            .story("Enough facts, but protected, and without the address questions two remain."),
        ordinary(26, "many-answers", "Tove Thøgersen")
            .with(|person| {
                person.facts.push(Fact::certain(Kind::ChildBirthDate, "2011-11-11"));
                person.facts.push(Fact::certain(Kind::PreviousRoad, "Gammel Kongevej"));
                person.facts.push(Fact::uncertain(Kind::PreviousSurname, "Tvivl"));
            })
            .story("Three children and two earlier roads: each of them is a right answer."),
        ordinary(27, "accents", "Ursula Åkjær-Müller")
            .with(|person| {
                person.facts = vec![
                    Fact::certain(Kind::PreviousRoad, "Sankt Jørgens Allé"),
                    Fact::certain(Kind::PreviousMunicipality, "Ærø"),
                    Fact::certain(Kind::Birthplace, "Aabenraa"),
                    Fact::certain(Kind::PreviousSurname, "Müller-Øster"),
                    Fact::certain(Kind::MotherBirthDate, "1939-02-01"),
                ];
            })
            .story("Answers with accents, hyphens and Danish letters, which may be said in many ways."),
        ordinary(28, "born-in-a-parish", "Vilma Vad")
            .with(|person| {
                person.facts = vec![
                    Fact::with_values(Kind::Birthplace, "Skejby Sogn", &["Aarhus", "Aarhus Kommune"]),
                    Fact::with_values(Kind::PreviousRoad, "Gammel Kongevej", &["Gl Kongevej"]),
                    Fact::certain(Kind::PreviousMunicipality, "København"),
                    Fact::certain(Kind::MovedInYear, "2010"),
                    Fact::certain(Kind::PreviousSurname, "Wałęsa"),
                    Fact::certain(Kind::MotherBirthDate, "1950-02-01"),
                ];
            })
            .story("CPR names the parish of birth; the town and the municipality are right answers, too."),
        too_little(ordinary(29, "parish-alone", "Willy Wulff"))
            .with(|person| {
                person.facts.truncate(2);
                person.facts.push(Fact::certain(Kind::Birthplace, "Lisbjerg Sogn"));
            })
            .story("Of the birthplace the register has the parish alone, which nobody says: it is not asked."),
    ]
}

/// There are too few facts for questions, by phone and at the counter. A witness helps.
fn too_little(person: Person) -> Person {
    let phone = Expectation::never([Reason::InsufficientData]);
    person
        .expected(Expected { phone, ..Expected::ordinary() })
        .verification("phone", Outcome::rejected(Reason::InsufficientData))
        .verification("counter", Outcome::rejected(Reason::InsufficientData))
        .verification("counter_with_witness", Outcome::verified())
}

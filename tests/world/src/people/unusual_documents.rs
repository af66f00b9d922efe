//! Persons whose documents need a second look: without CPR number, extended, temporary, forged, or in a layout of their own (R19).

use chrono::Days;
use temporary_pin::proto::temporarypin::v1::Reason;
use temporary_pin::proto::temporarypin::v1::document::{CprNumberShown, Kind};
use temporary_pin::proto::temporarypin::v1::supporting_document::Kind as SupportingKind;

use super::documents::{foreign, refused};
use super::expected::Outcome;
use super::person::{Document, Opening, Person, cpr_number};

pub(super) fn cast(opening: Opening) -> Vec<Person> {
    let with = |number: u32, id: &str, name: &str, document: Document| {
        Person::ordinary(number, id, name, opening).only_document(document)
    };
    let document = |kind, issuer, number: &str| Document::new(kind, issuer, number, opening);
    let without_cpr_number = |document| Document { cpr_number_shown: CprNumberShown::No, ..document };
    let unregistered = |document| Document { registered: false, ..document };
    vec![
        supported(
            with(
                85,
                "passport-without-cpr-number",
                "Xenia Yde",
                without_cpr_number(document(Kind::Passport, "DNK", "200000085")),
            ),
            SupportingKind::PersonalCertificate,
        )
        .verification("phone", Outcome::questions())
        .story("A Danish passport without CPR number: enough by phone, at the counter only with a further document."),
        supported(
            with(
                86,
                "municipal-identity-card",
                "Yrsa Zacho",
                unregistered(document(Kind::MunicipalIdentityCard, "DNK", "KK000086")),
            ),
            SupportingKind::BirthCertificate,
        )
        .verification("phone", Outcome::invalid())
        .story("An identity card of the municipality and a birth certificate: accepted at the counter together."),
        with(87, "foreign-ministry-card", "Zubin Mehra", document(Kind::ForeignMinistryCard, "DNK", "UM0000087"))
            .verification("phone", Outcome::invalid())
            .story("A diplomat with the card of the Foreign Ministry: accepted at the counter."),
        supported(
            with(
                88,
                "permit-without-cpr-number",
                "Amina Saleh",
                without_cpr_number(document(Kind::ResidencePermit, "DNK", "RP0000088")),
            ),
            SupportingKind::SpecialHealthCard,
        )
        .verification("phone", Outcome::invalid())
        .story("A residence permit without CPR number: accepted at the counter with a special health card."),
        foreign(with(
            89,
            "expired-swedish-passport",
            "Björn Ek",
            Document {
                expiry_date: opening.today - Days::new(2500),
                ..unregistered(document(Kind::Passport, "SWE", "SE1000089"))
            },
        ))
        .with(|person| person.supporting_document = Some(SupportingKind::HealthCard))
        .verification("counter_with_supporting_document", Outcome::rejected(Reason::DocumentNotAccepted))
        .story("A Swedish passport that expired years ago: a health card does not help."),
        supported(
            with(120, "french-card", "Chloé Dubois", unregistered(document(Kind::IdentityCard, "FRA", "190375100120"))),
            SupportingKind::ResidenceCertificate,
        )
        .verification("phone", Outcome::invalid())
        .story("A French identity card of 2019. Its zone has a layout of its own and tells no expiry; the clerk does."),
        supported(
            with(
                121,
                "belgian-card",
                "Dirk Peeters",
                unregistered(document(Kind::IdentityCard, "BEL", "592000121601")),
            ),
            SupportingKind::HealthCard,
        )
        .verification("phone", Outcome::invalid())
        .story("A Belgian identity card, whose check digit covers the filler, too."),
        with(
            122,
            "extended-passport",
            "Eigil Friis",
            Document {
                printed_expiry_date: Some(opening.today - Days::new(30)),
                ..document(Kind::Passport, "DNK", "200000122")
            },
        )
        .story("A Danish passport that shows an expiry in the past, and that the register knows to be extended."),
        refused(with(
            123,
            "emergency-passport",
            "Frida Gram",
            Document { zone_code: Some("PE"), ..document(Kind::Passport, "DNK", "200000123") },
        ))
        .verification("phone", Outcome::questions())
        .story("An emergency passport, as its zone says (PE), which the register does not know to be temporary."),
        with(
            124,
            "passport-with-another-cpr-number",
            "Gorm Holt",
            Document { zone_cpr_number: Some(cpr_number(1).0), ..document(Kind::Passport, "DNK", "200000124") },
        )
        .verification("counter", Outcome::rejected(Reason::IdentityNotConfirmed))
        .story("A forged passport: its zone shows the CPR number of another person."),
    ]
}

/// Accepted at the counter together with that document only.
fn supported(person: Person, kind: SupportingKind) -> Person {
    person
        .with(|person| person.supporting_document = Some(kind))
        .verification("counter", Outcome::rejected(Reason::DocumentNotAccepted))
        .verification("counter_with_supporting_document", Outcome::questions())
}

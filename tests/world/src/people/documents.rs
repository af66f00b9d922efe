//! One person for each state and kind of document (R15, R19).

use chrono::Days;
use temporary_pin::proto::identityregister::v1::document::{Permanence, State};
use temporary_pin::proto::temporarypin::v1::Reason;
use temporary_pin::proto::temporarypin::v1::document::Kind;
use temporary_pin::proto::temporarypin::v1::supporting_document::Kind as SupportingKind;

use super::expected::Outcome;
use super::person::{Document, Opening, Person};

pub(super) fn cast(opening: Opening) -> Vec<Person> {
    let with = |number: u32, id: &str, name: &str, document: Document| {
        Person::ordinary(number, id, name, opening).only_document(document)
    };
    let passport = |issuer, number: &str| Document::new(Kind::Passport, issuer, number, opening);
    let licence = |issuer, number: &str| Document::new(Kind::DrivingLicence, issuer, number, opening);
    let state = |document, state| Document { state, ..document };
    let expiring = |document, expiry_date| Document { expiry_date, ..document };
    let provisional = |document| Document { permanence: Permanence::Provisional, ..document };
    let unregistered = |document| Document { registered: false, ..document };
    vec![
        refused(with(70, "lost-passport", "Agnes Abel", state(passport("DNK", "200000070"), State::Lost)))
            .story("The passport is reported lost."),
        refused(with(71, "stolen-passport", "Balder Bang", state(passport("DNK", "200000071"), State::Stolen)))
            .story("The passport is reported stolen."),
        refused(with(72, "revoked-licence", "Carla Cohn", state(licence("DNK", "30000072"), State::Revoked)))
            .story("The driving licence is revoked."),
        refused(with(
            73,
            "expired-licence",
            "Ditlev Dam",
            expiring(licence("DNK", "30000073"), opening.today - Days::new(1)),
        ))
        .story("The driving licence expired yesterday."),
        with(74, "expires-today", "Ester Eg", expiring(passport("DNK", "200000074"), opening.today))
            .story("The passport expires today, which is its last valid day."),
        refused(with(75, "provisional-passport", "Folmer Fink", provisional(passport("DNK", "200000075"))))
            .story("A provisional passport, which is not accepted."),
        refused(with(76, "unknown-passport", "Gerda Glad", unregistered(passport("DNK", "200000076"))))
            .verification("counter", Outcome::rejected(Reason::IdentityNotConfirmed))
            .story("Says to have a Danish passport of which the register knows nothing."),
        with(77, "greenlandic-passport", "Inuk Lynge", passport("GRL", "GL1000077"))
            .account(|account| account.language = "kl")
            .story("A Greenlandic passport, accepted like a Danish one. Its machine readable zone says DNK."),
        with(78, "greenlandic-licence", "Paninnguaq Berthelsen", licence("GRL", "GL100078"))
            .story("A Greenlandic driving licence, accepted like a Danish one."),
        with(79, "faroese-passport", "Rannvá Joensen", passport("FRO", "FO1000079"))
            .verification("phone", Outcome::rejected(Reason::IdentityNotConfirmed))
            .story("A Faroese passport with CPR number: not accepted by phone, but at the counter."),
        foreign(with(80, "swedish-passport", "Sven Lindström", unregistered(passport("SWE", "SE1000080"))))
            .with(|person| person.supporting_document = Some(SupportingKind::HealthCard))
            .story("A Swedish passport and a Danish health card: accepted at the counter."),
        foreign(with(81, "swedish-passport-alone", "Tuva Bergman", unregistered(passport("SWE", "SE1000081"))))
            .story("A Swedish passport and nothing beside it: not accepted."),
        refused(with(82, "stolen-german-passport", "Ute König", state(passport("DEU", "C01X00T82"), State::Stolen)))
            .with(|person| person.supporting_document = Some(SupportingKind::ResidenceCertificate))
            .verification("counter_with_supporting_document", Outcome::rejected(Reason::DocumentNotAccepted))
            .story("A German passport that the register happens to know as stolen: a health card does not help."),
        foreign(with(
            83,
            "german-identity-card",
            "Vera Vogel",
            unregistered(Document::new(Kind::IdentityCard, "DEU", "L01X00T83", opening)),
        ))
        .with(|person| person.supporting_document = Some(SupportingKind::ResidenceCertificate))
        .verification("phone", Outcome::invalid())
        .story("A German identity card, three lines to scan, and a residence certificate: accepted at the counter."),
        with(84, "residence-permit", "Walid Wahab", Document::new(Kind::ResidencePermit, "DNK", "RP0000084", opening))
            .verification("phone", Outcome::invalid())
            .story("A Danish residence permit: accepted at the counter, but not by phone."),
    ]
}

/// The document is not accepted. At the counter the clerk learns that; by phone the answer gives no reason.
pub(super) fn refused(person: Person) -> Person {
    person
        .verification("phone", Outcome::rejected(Reason::IdentityNotConfirmed))
        .verification("counter", Outcome::rejected(Reason::DocumentNotAccepted))
}

/// The document is not accepted by phone. At the counter it is accepted together with a supporting document.
pub(super) fn foreign(person: Person) -> Person {
    refused(person).verification("counter_with_supporting_document", Outcome::questions())
}

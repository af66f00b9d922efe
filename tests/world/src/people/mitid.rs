//! One person for each state of a MitID account and its mobile number (R10, R12, R13, R14, R25).

use chrono::TimeDelta;
use temporary_pin::proto::identityregister::v1::mitid_account::State;
use temporary_pin::proto::temporarypin::v1::Reason;

use super::expected::{Expectation, Expected};
use super::person::{Opening, Person};

pub(super) fn cast(opening: Opening) -> Vec<Person> {
    let ordinary = |number, id: &str, name: &str| Person::ordinary(number, id, name, opening);
    let quarantined = |hours: i64| {
        let until = opening.hours_ago(hours) + TimeDelta::hours(120);
        Expected::counter_only(Expectation::not_yet(Reason::MobileNumberChangedRecently, Some(until)))
    };
    vec![
        ordinary(50, "mitid-blocked", "Oskar Olrik")
            .account(|account| account.state = State::Blocked)
            .never(Reason::MitidNotActive)
            .story("The MitID account is blocked."),
        ordinary(51, "mitid-closed", "Petra Poulsen")
            .account(|account| account.state = State::Closed)
            .never(Reason::MitidNotActive)
            .story("The MitID account is closed."),
        ordinary(52, "no-mitid", "Rasmus Riis")
            .with(|person| person.account = None)
            .never(Reason::MitidNotActive)
            .with(|person| drop(person.expected_verification.remove("web")))
            .story("Never had MitID: cannot log in, and there is no number to send to."),
        ordinary(53, "no-mobile", "Signe Storm")
            .account(|account| {
                account.mobile_number = None;
                account.mobile_number_change_time = None;
            })
            .never(Reason::NoMobileNumber)
            .story("No mobile number is registered: the counter has a paper activation code instead."),
        ordinary(54, "mobile-yesterday", "Troels Toft")
            .account(|account| account.mobile_number_change_time = Some(opening.hours_ago(24)))
            .expected(quarantined(24))
            .story("The mobile number changed yesterday: the counter, or wait until 120 hours have passed."),
        ordinary(55, "mobile-119-hours", "Ulla Uhre")
            .account(|account| account.mobile_number_change_time = Some(opening.hours_ago(119)))
            .expected(quarantined(119))
            .story("The mobile number changed 119 hours ago: one more hour to wait."),
        ordinary(56, "mobile-121-hours", "Viggo Vad")
            .account(|account| account.mobile_number_change_time = Some(opening.hours_ago(121)))
            .story("The mobile number changed 121 hours ago: long enough."),
        ordinary(57, "swedish-mobile", "Wilma Winther")
            .account(|account| account.mobile_number = Some("+46701740605".into()))
            .never(Reason::MobileNumberNotAllowed)
            .story("A Swedish mobile number, outside the allowed countries."),
        ordinary(58, "faroese-mobile", "Jákup Dam")
            .account(|account| account.mobile_number = Some("+298211058".into()))
            .story("A Faroese mobile number serves as a Danish one."),
        ordinary(59, "greenlandic-mobile", "Nivi Kleist")
            .account(|account| {
                account.language = "kl";
                account.mobile_number = Some("+299441059".into());
            })
            .story("Greenlandic language and mobile number, living in Denmark."),
        ordinary(117, "spaced-mobile", "Xenia Xu")
            .account(|account| account.registered_mobile_number = Some("+45 26 00 01 17"))
            .story("The register writes the mobile number with spaces: it is understood."),
        ordinary(118, "mobile-without-code", "Ymer Yde")
            .account(|account| account.registered_mobile_number = Some("26 00 01 18"))
            .story("The register writes a Danish mobile number without +45: it is understood."),
        ordinary(119, "mobile-with-zeros", "Zenia Zoffmann")
            .account(|account| account.registered_mobile_number = Some("004526000119"))
            .story("The register writes the mobile number with 00 for the plus: it is understood."),
        ordinary(60, "english", "Yasmin Young")
            .account(|account| account.language = "en")
            .story("Chose English in the MitID profile: questions and SMS are in English."),
        ordinary(61, "shared-phone", "Agnete Bach")
            .story("Shares a phone with her husband: PINs to one mobile number are limited too."),
        ordinary(62, "shared-phone-2", "Bertel Bach")
            .account(|account| account.mobile_number = Some("+4526000061".into()))
            .story("Shares the phone of his wife."),
    ]
}

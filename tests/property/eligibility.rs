use chrono::{DateTime, TimeDelta, Utc};
use temporary_pin::domain::birth_date::BirthDate;
use temporary_pin::domain::channel::Channel;
use temporary_pin::domain::cpr::{CprNumber, CprStatus};
use temporary_pin::domain::eligibility::{ChannelVerdict, EligibilityStatus, find_all_denials};
use temporary_pin::domain::hold::Hold;
use temporary_pin::domain::language::Language;
use temporary_pin::domain::mobile::MobileNumber;
use temporary_pin::domain::person::{MitidAccount, MitidUuid, Person, RegisteredMobile};
use temporary_pin::domain::rule_settings::Rules;
use uuid::Uuid;

/// The effect of one property of a person on the channels.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Effect {
    Nothing,
    Never,
    /// Never on the web or by phone.
    CounterOnly,
    NotYet,
    /// Not yet on the web or by phone.
    CounterOnlyYet,
    NotYetOnTheWeb,
}
use Effect::{CounterOnly, CounterOnlyYet, Never, NotYet, NotYetOnTheWeb, Nothing};

impl Effect {
    fn status(self, channel: Channel) -> EligibilityStatus {
        match (self, channel) {
            (Never, _) | (CounterOnly, Channel::Web | Channel::Phone) => EligibilityStatus::NotEligible,
            (NotYet, _) | (CounterOnlyYet, Channel::Web | Channel::Phone) | (NotYetOnTheWeb, Channel::Web) => {
                EligibilityStatus::NotYet
            }
            _ => EligibilityStatus::Eligible,
        }
    }
}

/// CPR numbers with their status.
const CPR: [(Option<&str>, Option<&str>, Effect); 20] = [
    (Some("0101801234"), Some("01"), Nothing),
    (Some("0101801234"), Some("03"), Nothing),
    (Some("0101801234"), Some("05"), Nothing),
    (Some("0101801234"), Some("07"), Nothing),
    (Some("0101801234"), Some("10"), Never),
    (Some("0101801234"), Some("20"), CounterOnly),
    (Some("0101801234"), Some("30"), Never),
    (Some("0101801234"), Some("50"), Never),
    (Some("0101801234"), Some("60"), Never),
    (Some("0101801234"), Some("70"), Never),
    (Some("0101801234"), Some("80"), CounterOnly),
    (Some("0101801234"), Some("90"), Never),
    (Some("0101801234"), Some("97"), CounterOnly),
    (Some("0101801234"), Some("99"), CounterOnly),
    (Some("0101801234"), Some("08"), CounterOnly),
    (Some("0101801234"), None, Never),
    (Some("6101801234"), Some("01"), Never),
    (None, None, Nothing),
    (None, Some("90"), Never),
    (None, Some("01"), Nothing),
];

const BIRTH_DATES: [(&str, Effect); 6] = [
    ("1980-01-01", Nothing),
    ("1980-01-00", CounterOnly),
    ("1980-00-00", CounterOnly),
    ("2013-11-23", Nothing),
    ("2013-11-24", NotYet),
    ("2026-11-23", NotYet),
];

/// Whether the account is active; `None`: no account.
const ACCOUNTS: [(Option<bool>, Effect); 3] = [(Some(true), Nothing), (Some(false), Never), (None, Never)];

const MOBILES: [(Option<&str>, Effect); 6] = [
    (Some("+4520123456"), Nothing),
    (Some("+299521234"), Nothing),
    (Some("+298211234"), Nothing),
    (Some("+46701234567"), Never),
    (Some("+4590123456"), Never),
    (None, Never),
];

/// Seconds since the mobile number changed; `None`: not known.
const CHANGES: [(Option<i64>, Effect); 6] = [
    (Some(432_000), Nothing),
    (Some(100_000_000), Nothing),
    (Some(431_999), CounterOnlyYet),
    (Some(0), CounterOnlyYet),
    (Some(-60), CounterOnlyYet),
    (None, CounterOnlyYet),
];

/// Seconds since access was requested; `None`: never.
const HOLDS: [(Option<i64>, Effect); 5] = [
    (Some(86_400), Nothing),
    (Some(172_799), Nothing),
    (Some(86_399), NotYetOnTheWeb),
    (Some(172_800), NotYetOnTheWeb),
    (None, NotYetOnTheWeb),
];

fn now() -> DateTime<Utc> {
    "2026-11-23T12:00:00Z".parse().expect("a time")
}

fn verdict(person: &Person, hold: Option<&Hold>, channel: Channel) -> ChannelVerdict {
    ChannelVerdict::from_denials(find_all_denials(person, channel, hold, &Rules::default().eligibility, now()))
}

/// The strictest effect decides, in every combination of properties.
#[test]
fn r10_r11_r12_r13_r14_a_person_is_eligible_exactly_if_no_property_denies_it() {
    let ago = |seconds: i64| now() - TimeDelta::seconds(seconds);
    let mut eligible = 0;
    for (cpr_number, status, cpr) in CPR {
        for (birth_date, age) in BIRTH_DATES {
            for (active, account) in ACCOUNTS {
                for (number, mobile) in MOBILES {
                    for (changed, change) in CHANGES {
                        let person = Person {
                            cpr_number: cpr_number.map(|digits| CprNumber::parse(digits).expect("a CPR number")),
                            cpr_status: status.map(CprStatus::from_code),
                            successor_cpr_number: None,
                            birth_date: BirthDate::parse(birth_date, true).expect("a date"),
                            protected: false,
                            credit_warning: false,
                            facts: Vec::new(),
                            mitid_account: active.map(|active| MitidAccount {
                                mitid_uuid: MitidUuid(Uuid::from_u128(1)),
                                active,
                                enrolment_time: None,
                                language: Language::Da,
                                mobile: number.map(|number| RegisteredMobile {
                                    number: MobileNumber::parse(number).expect("a number"),
                                    change_time: changed.map(ago),
                                }),
                            }),
                        };
                        for (requested, hold) in HOLDS {
                            let effects = [cpr, age, account, mobile, change, hold];
                            let request = requested.map(|seconds| Hold::start(ago(seconds), &Rules::default().hold));
                            for channel in Channel::ALL {
                                let answer = verdict(&person, request.as_ref(), channel);
                                let expected = strictest(&effects, channel);
                                assert_eq!(answer.status, expected, "{effects:?} {channel:?} {answer:?}");
                                assert_eq!(answer.reasons.is_empty(), expected == EligibilityStatus::Eligible);
                                eligible += u32::from(expected == EligibilityStatus::Eligible);
                            }
                        }
                    }
                }
            }
        }
    }
    assert!(eligible > 0);
}

fn strictest(effects: &[Effect], channel: Channel) -> EligibilityStatus {
    let answers: Vec<EligibilityStatus> = effects.iter().map(|effect| effect.status(channel)).collect();
    if answers.contains(&EligibilityStatus::NotEligible) {
        EligibilityStatus::NotEligible
    } else if answers.contains(&EligibilityStatus::NotYet) {
        EligibilityStatus::NotYet
    } else {
        EligibilityStatus::Eligible
    }
}

//! A person of the made-up world, and a builder that starts from an ordinary person.

use std::collections::BTreeMap;

use aws_lc_rs::digest;
use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use temporary_pin::proto::identityregister::v1::document::{Permanence, State as DocumentState};
use temporary_pin::proto::identityregister::v1::mitid_account::State as AccountState;
use temporary_pin::proto::identityregister::v1::{BirthDateCertainty, ProtectionType};
use temporary_pin::proto::temporarypin::v1::Reason;
use temporary_pin::proto::temporarypin::v1::document::{CprNumberShown, Kind as DocumentKind};
use temporary_pin::proto::temporarypin::v1::supporting_document::Kind as SupportingDocumentKind;
use uuid::Uuid;

use super::expected::{Expected, Outcome};
use super::facts::{Fact, plenty};

/// When the sandbox started. The dates of the cast are relative to it.
#[derive(Clone, Copy)]
pub struct Opening {
    pub now: DateTime<Utc>,
    /// The date in Copenhagen.
    pub today: NaiveDate,
}

impl Opening {
    pub fn at(now: DateTime<Utc>) -> Self {
        Self { now, today: now.with_timezone(&chrono_tz::Europe::Copenhagen).date_naive() }
    }

    pub fn hours_ago(self, hours: i64) -> DateTime<Utc> {
        self.now - TimeDelta::hours(hours)
    }

    pub fn days_ago(self, days: i64) -> DateTime<Utc> {
        self.now - TimeDelta::days(days)
    }
}

pub struct Person {
    pub id: String,
    pub name: String,
    /// What this person shows, in a sentence or two.
    pub story: &'static str,
    pub cpr_number: Option<String>,
    pub cpr_status: &'static str,
    /// The number that the person has instead of `cpr_number`, whose status is then `replaced_status`.
    pub successor_cpr_number: Option<String>,
    /// 60 (changed) or 50 (a duplicate that is deleted).
    pub replaced_status: &'static str,
    pub birth_date: NaiveDate,
    /// The birth date as the register has it, if parts of it are unknown there.
    pub registered_birth_date: Option<String>,
    pub birth_date_certainty: BirthDateCertainty,
    pub protection_types: Vec<ProtectionType>,
    pub protected: bool,
    pub facts: Vec<Fact>,
    pub account: Option<Account>,
    pub documents: Vec<Document>,
    /// What the person can show together with a foreign document.
    pub supporting_document: Option<SupportingDocumentKind>,
    pub expected: Expected,
    /// The first answer of VerifyIdentity, by situation.
    pub expected_verification: BTreeMap<&'static str, Outcome>,
}

pub struct Account {
    pub mitid_uuid: Uuid,
    pub state: AccountState,
    pub enrolment_time: DateTime<Utc>,
    pub language: &'static str,
    pub mobile_number: Option<String>,
    /// The number as the register writes it, if not in E.164 form.
    pub registered_mobile_number: Option<&'static str>,
    pub mobile_number_change_time: Option<DateTime<Utc>>,
}

pub struct Document {
    pub kind: DocumentKind,
    pub issuer: &'static str,
    pub number: String,
    pub state: DocumentState,
    pub expiry_date: NaiveDate,
    pub permanence: Permanence,
    /// Whether the identity register knows the document. It knows few foreign ones.
    pub registered: bool,
    pub cpr_number_shown: CprNumberShown,
    /// The expiry that the document shows, if the register knows another one.
    pub printed_expiry_date: Option<NaiveDate>,
    /// The code in the machine readable zone, if it is not the ordinary one of the kind.
    pub zone_code: Option<&'static str>,
    /// The CPR number in the machine readable zone, if it is not the holder's.
    pub zone_cpr_number: Option<String>,
}

impl Document {
    /// An ordinary document that is valid for two more years.
    pub fn new(kind: DocumentKind, issuer: &'static str, number: impl Into<String>, opening: Opening) -> Self {
        Self {
            kind,
            issuer,
            number: number.into(),
            state: DocumentState::Valid,
            expiry_date: opening.today + Days::new(730),
            permanence: Permanence::Ordinary,
            registered: true,
            cpr_number_shown: shows_cpr_number(kind, issuer),
            printed_expiry_date: None,
            zone_code: None,
            zone_cpr_number: None,
        }
    }

    /// The last day of validity as the document shows it.
    pub fn shown_expiry_date(&self) -> NaiveDate {
        self.printed_expiry_date.unwrap_or(self.expiry_date)
    }
}

/// What is usual: documents of Denmark, Greenland and the Faroes show the CPR number, others do not.
fn shows_cpr_number(kind: DocumentKind, issuer: &str) -> CprNumberShown {
    let is_danish = ["DNK", "GRL", "FRO"].contains(&issuer);
    if is_danish && kind != DocumentKind::ForeignMinistryCard { CprNumberShown::Yes } else { CprNumberShown::No }
}

impl Person {
    /// An ordinary person, for whom every channel is open. `number` makes the values that must differ between persons.
    pub fn ordinary(number: u32, id: impl Into<String>, name: impl Into<String>, opening: Opening) -> Self {
        let id = id.into();
        let (cpr_number, birth_date) = cpr_number(number);
        let account = Account {
            mitid_uuid: uuid_of(&id),
            state: AccountState::Active,
            enrolment_time: opening.days_ago(900),
            language: "da",
            mobile_number: Some(format!("+45{}", 26_000_000 + number)),
            registered_mobile_number: None,
            mobile_number_change_time: Some(opening.days_ago(400)),
        };
        Self {
            id,
            name: name.into(),
            story: "An ordinary person with much CPR data: every channel is open.",
            cpr_number: Some(cpr_number),
            cpr_status: "01",
            successor_cpr_number: None,
            replaced_status: "60",
            birth_date,
            registered_birth_date: None,
            birth_date_certainty: BirthDateCertainty::Certain,
            protection_types: Vec::new(),
            protected: false,
            facts: plenty(number, birth_date),
            account: Some(account),
            documents: vec![
                Document::new(DocumentKind::Passport, "DNK", (200_000_000 + number).to_string(), opening),
                Document::new(DocumentKind::DrivingLicence, "DNK", (30_000_000 + number).to_string(), opening),
            ],
            supporting_document: None,
            expected: Expected::ordinary(),
            expected_verification: BTreeMap::new(),
        }
        .expected(Expected::ordinary())
    }

    /// The registered mobile number.
    pub fn mobile_number(&self) -> Option<&str> {
        self.account.as_ref()?.mobile_number.as_deref()
    }

    /// Sets what this person shows.
    pub fn story(mut self, story: &'static str) -> Self {
        self.story = story;
        self
    }

    /// Changes any field.
    pub fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    /// Changes any field of the MitID account.
    pub fn account(mut self, change: impl FnOnce(&mut Account)) -> Self {
        if let Some(account) = &mut self.account {
            change(account);
        }
        self
    }

    /// Leaves the person this document only.
    pub fn only_document(mut self, document: Document) -> Self {
        self.documents = vec![document];
        self
    }

    /// Sets what CheckEligibility must answer, and what VerifyIdentity must answer to a valid document.
    pub fn expected(mut self, expected: Expected) -> Self {
        self.expected_verification = BTreeMap::from([
            ("web", Outcome::from_expectation(&expected.web, Outcome::verified())),
            ("phone", Outcome::from_expectation(&expected.phone, Outcome::questions())),
            ("counter", Outcome::from_expectation(&expected.counter, Outcome::questions())),
        ]);
        self.expected = expected;
        self
    }

    /// Closes every channel for this reason.
    pub fn never(self, reason: Reason) -> Self {
        self.expected(Expected::never(reason))
    }

    /// Sets what VerifyIdentity must answer in this situation. Call it after [`Self::expected`].
    pub fn verification(mut self, situation: &'static str, outcome: Outcome) -> Self {
        self.expected_verification.insert(situation, outcome);
        self
    }
}

/// A CPR number that no living person has (a seventh digit of 5–8 with a year of 58–99 means born 1858–1899), and the birth
/// date in the register, which is a century later.
pub(super) fn cpr_number(number: u32) -> (String, NaiveDate) {
    let (serial, rest) = (number % 1000, number / 1000);
    let (seventh, rest) = (5 + rest % 4, rest / 4);
    let date = (rest + serial * 61) % (28 * 12 * 42);
    let (day, month, year) = (1 + date % 28, 1 + date / 28 % 12, 58 + date / (28 * 12));
    let birth_date = NaiveDate::from_ymd_opt(1900 + year as i32, month, day).unwrap_or_default();
    (format!("{day:02}{month:02}{year:02}{seventh}{serial:03}"), birth_date)
}

/// A UUID that depends on the name only.
pub fn uuid_of(name: &str) -> Uuid {
    let digest = digest::digest(&digest::SHA256, name.as_bytes());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest.as_ref()[..16]);
    uuid::Builder::from_random_bytes(bytes).into_uuid()
}

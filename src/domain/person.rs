//! A person: how a caller refers to them, what the registers know, and the pseudonym they are stored under.

use std::fmt;

use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

use super::cpr::{CprNumber, CprStatus};
use super::fact::Fact;
use super::language::Language;
use super::mobile::MobileNumber;

/// How a caller refers to a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PersonReference {
    /// By CPR number.
    Cpr(CprNumber),
    /// By the UUID of the MitID account.
    Mitid(MitidUuid),
}

/// The UUID of a MitID account: stable even when the CPR number changes. Masked in `Debug`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct MitidUuid(pub Uuid);

impl fmt::Debug for MitidUuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MitidUuid(****)")
    }
}

/// The pseudonym under which a person is stored: HMAC-SHA-256 of the MitID UUID (or, for somebody without MitID,
/// of the CPR number) under a key held outside the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PersonKey(pub [u8; 32]);

/// The pseudonym of a mobile number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MobileKey(pub [u8; 32]);

/// The pseudonym of a support agent or clerk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AgentKey(pub [u8; 32]);

/// What the registers know of a person.
#[derive(Clone, Debug)]
pub struct Person {
    /// The CPR number; some persons are known by their MitID UUID alone.
    pub cpr_number: Option<CprNumber>,
    /// The CPR status; `None` without a CPR number.
    pub cpr_status: Option<CprStatus>,
    /// Status 60: the number that replaced this one.
    pub successor_cpr_number: Option<CprNumber>,
    /// Birth date.
    pub birth_date: NaiveDate,
    /// Whether name and address are protected: then no address questions (R16).
    pub protected: bool,
    /// Facts to ask about.
    pub facts: Vec<Fact>,
    /// The MitID account, if there is one.
    pub mitid_account: Option<MitidAccount>,
}

impl Person {
    /// The mobile number that MitID has on file, if the person has a MitID account and the account has a number.
    #[must_use]
    pub fn registered_mobile(&self) -> Option<&RegisteredMobile> {
        self.mitid_account.as_ref()?.mobile.as_ref()
    }

    /// Whether both are one human being, as far as either identifier tells.
    #[must_use]
    pub fn is_same_as(&self, other: &Self) -> bool {
        let mitid_uuid = |person: &Self| person.mitid_account.as_ref().map(|account| account.mitid_uuid);
        same(self.cpr_number.as_ref(), other.cpr_number.as_ref()) || same(mitid_uuid(self), mitid_uuid(other))
    }
}

/// Both known and equal.
fn same<T: PartialEq>(one: Option<T>, other: Option<T>) -> bool {
    one.is_some() && one == other
}

/// A person's MitID account.
#[derive(Clone, Debug)]
pub struct MitidAccount {
    /// Its UUID.
    pub mitid_uuid: MitidUuid,
    /// Whether it is active: neither blocked nor closed.
    pub active: bool,
    /// When the person got MitID.
    pub enrolment_time: Option<DateTime<Utc>>,
    /// The language chosen in the profile.
    pub language: Language,
    /// The registered mobile number, if any.
    pub mobile: Option<RegisteredMobile>,
}

/// The mobile number that MitID has on file.
#[derive(Clone, Debug)]
pub struct RegisteredMobile {
    /// The number.
    pub number: MobileNumber,
    /// When it was registered or last changed. `None`: not known, which counts as just now (R10, in doubt no).
    pub change_time: Option<DateTime<Utc>>,
}

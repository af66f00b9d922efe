//! A person: the reference in a request, the data in the identity register, and the pseudonyms in Postgres and Redis.

use std::fmt;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::birth_date::BirthDate;
use super::cpr::{CprNumber, CprStatus};
use super::fact::Fact;
use super::language::Language;
use super::mobile::MobileNumber;

/// The identifier by which a request refers to a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PersonReference {
    Cpr(CprNumber),
    Mitid(MitidUuid),
}

/// The UUID of a MitID account. It stays the same when the CPR number changes. Masked in `Debug`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct MitidUuid(pub Uuid);

impl fmt::Debug for MitidUuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MitidUuid(****)")
    }
}

/// The pseudonym under which a person is stored: HMAC-SHA-256 of the MitID UUID, or of the CPR number if the person has no
/// MitID. The HMAC's key is not in the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PersonKey(pub [u8; 32]);

/// The pseudonym of a mobile number, made like [`PersonKey`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MobileKey(pub [u8; 32]);

/// The pseudonym of a support agent or clerk, made like [`PersonKey`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AgentKey(pub [u8; 32]);

/// What the identity register knows of a person.
#[derive(Clone, Debug)]
pub struct Person {
    /// `None` if the person is known by the MitID UUID alone.
    pub cpr_number: Option<CprNumber>,
    /// `None` if there is no CPR number.
    pub cpr_status: Option<CprStatus>,
    /// The CPR number that the person has instead of `cpr_number` (CPR status 50 and 60).
    pub successor_cpr_number: Option<CprNumber>,
    pub birth_date: BirthDate,
    /// Whether the person has name and address protection. If so, no question asks about addresses (R16).
    pub protected: bool,
    /// Whether the person has asked for a credit warning, as persons do after identity theft (R12).
    pub credit_warning: bool,
    /// The facts that questions can ask about (R16).
    pub facts: Vec<Fact>,
    /// `None` if the person has no MitID account.
    pub mitid_account: Option<MitidAccount>,
}

impl Person {
    /// The mobile number registered with MitID. `None` without a MitID account or without a number in it.
    #[must_use]
    pub fn registered_mobile(&self) -> Option<&RegisteredMobile> {
        self.mitid_account.as_ref()?.mobile.as_ref()
    }

    /// Whether the reference names this person.
    #[must_use]
    pub fn is_named_by(&self, reference: &PersonReference) -> bool {
        match reference {
            PersonReference::Cpr(number) => self.cpr_number.as_ref() == Some(number),
            PersonReference::Mitid(uuid) => self.mitid_account.as_ref().is_some_and(|own| own.mitid_uuid == *uuid),
        }
    }

    /// Whether both values describe the same person: their CPR numbers or their MitID UUIDs are equal.
    #[must_use]
    pub fn is_same_as(&self, other: &Self) -> bool {
        let mitid_uuid = |person: &Self| person.mitid_account.as_ref().map(|account| account.mitid_uuid);
        is_known_and_equal(self.cpr_number.as_ref(), other.cpr_number.as_ref())
            || is_known_and_equal(mitid_uuid(self), mitid_uuid(other))
    }
}

/// Whether both values are known and equal. Two unknown values are not equal.
fn is_known_and_equal<T: PartialEq>(left: Option<T>, right: Option<T>) -> bool {
    left.is_some() && left == right
}

/// A person's MitID account.
#[derive(Clone, Debug)]
pub struct MitidAccount {
    pub mitid_uuid: MitidUuid,
    /// Whether the account is active: neither blocked nor closed.
    pub active: bool,
    /// When the person got MitID; `None` if the register does not know.
    pub enrolment_time: Option<DateTime<Utc>>,
    /// The language that the person chose in the MitID profile.
    pub language: Language,
    /// `None` if no mobile number is registered.
    pub mobile: Option<RegisteredMobile>,
}

/// The mobile number that is registered with MitID.
#[derive(Clone, Debug)]
pub struct RegisteredMobile {
    pub number: MobileNumber,
    /// When the number was registered or last changed. `None` if the register does not know; the service then assumes that
    /// the number has just changed, and so refuses (R10).
    pub change_time: Option<DateTime<Utc>>,
}

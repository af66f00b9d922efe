//! Enums of the domain as those of the wire.

use crate::domain::assurance::AssuranceLevel;
use crate::domain::channel::Channel;
use crate::domain::question::FactKind;
use crate::domain::reason::Reason;
use crate::proto::temporarypin::v1 as pb;

/// The name in `ErrorInfo.reason`: that of the wire enum without its prefix.
pub(in super::super) fn reason_name(value: Reason) -> &'static str {
    reason(value).as_str_name().trim_start_matches("REASON_")
}

pub(super) const fn reason(value: Reason) -> pb::Reason {
    match value {
        Reason::InvalidField => pb::Reason::InvalidField,
        Reason::RequestIdReused => pb::Reason::RequestIdReused,
        Reason::CallerUnknown => pb::Reason::CallerUnknown,
        Reason::CallerNotAllowed => pb::Reason::CallerNotAllowed,
        Reason::MethodUnknown => pb::Reason::MethodUnknown,
        Reason::IdentityNotConfirmed => pb::Reason::IdentityNotConfirmed,
        Reason::InsufficientData => pb::Reason::InsufficientData,
        Reason::LoginNotAccepted => pb::Reason::LoginNotAccepted,
        Reason::LoginTooOld => pb::Reason::LoginTooOld,
        Reason::AssuranceTooLow => pb::Reason::AssuranceTooLow,
        Reason::AgentNotAccepted => pb::Reason::AgentNotAccepted,
        Reason::DocumentNotAccepted => pb::Reason::DocumentNotAccepted,
        Reason::WitnessNotAccepted => pb::Reason::WitnessNotAccepted,
        Reason::TooYoung => pb::Reason::TooYoung,
        Reason::PersonDead => pb::Reason::PersonDead,
        Reason::PersonDisappeared => pb::Reason::PersonDisappeared,
        Reason::CprNumberNotValid => pb::Reason::CprNumberNotValid,
        Reason::CounterOnly => pb::Reason::CounterOnly,
        Reason::MitidNotActive => pb::Reason::MitidNotActive,
        Reason::NoMobileNumber => pb::Reason::NoMobileNumber,
        Reason::MobileNumberNotAllowed => pb::Reason::MobileNumberNotAllowed,
        Reason::MobileNumberChangedRecently => pb::Reason::MobileNumberChangedRecently,
        Reason::AccessNotRequested => pb::Reason::AccessNotRequested,
        Reason::HoldRunning => pb::Reason::HoldRunning,
        Reason::AccessExpired => pb::Reason::AccessExpired,
        Reason::LoginAgain => pb::Reason::LoginAgain,
        Reason::VerificationUnknown => pb::Reason::VerificationUnknown,
        Reason::VerificationNotConfirmed => pb::Reason::VerificationNotConfirmed,
        Reason::VerificationExpired => pb::Reason::VerificationExpired,
        Reason::VerificationUsed => pb::Reason::VerificationUsed,
        Reason::VerificationLimit => pb::Reason::VerificationLimit,
        Reason::PersonLimit => pb::Reason::PersonLimit,
        Reason::MobileLimit => pb::Reason::MobileLimit,
        Reason::AgentLimit => pb::Reason::AgentLimit,
        Reason::CallerLimit => pb::Reason::CallerLimit,
        Reason::ServiceLimit => pb::Reason::ServiceLimit,
        Reason::Unavailable => pb::Reason::Unavailable,
        Reason::DeadlineExceeded => pb::Reason::DeadlineExceeded,
        Reason::Internal => pb::Reason::Internal,
    }
}

pub(super) const fn channel(value: Channel) -> pb::Channel {
    match value {
        Channel::Web => pb::Channel::Web,
        Channel::Phone => pb::Channel::Phone,
        Channel::Counter => pb::Channel::Counter,
    }
}

pub(super) const fn assurance(value: AssuranceLevel) -> pb::AssuranceLevel {
    match value {
        AssuranceLevel::Low => pb::AssuranceLevel::Low,
        AssuranceLevel::Substantial => pb::AssuranceLevel::Substantial,
        AssuranceLevel::High => pb::AssuranceLevel::High,
    }
}

pub(super) const fn question_kind(value: FactKind) -> pb::question::Kind {
    match value {
        FactKind::PreviousRoad => pb::question::Kind::PreviousRoad,
        FactKind::MovedInYear => pb::question::Kind::MovedInYear,
        FactKind::PreviousMunicipality => pb::question::Kind::PreviousMunicipality,
        FactKind::Birthplace => pb::question::Kind::Birthplace,
        FactKind::SpouseBirthDate => pb::question::Kind::SpouseBirthDate,
        FactKind::WeddingYear => pb::question::Kind::WeddingYear,
        FactKind::ChildBirthDate => pb::question::Kind::ChildBirthDate,
        FactKind::MotherBirthDate => pb::question::Kind::MotherBirthDate,
        FactKind::FatherBirthDate => pb::question::Kind::FatherBirthDate,
        FactKind::PreviousSurname => pb::question::Kind::PreviousSurname,
    }
}

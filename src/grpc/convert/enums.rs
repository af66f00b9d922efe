//! Converts enums that several messages use.

use crate::domain::assurance::AssuranceLevel;
use crate::domain::channel::Channel;
use crate::domain::fact::FactKind;
use crate::domain::language::Language;
use crate::domain::reason::Reason;
use crate::issuance::{DispatchState, PinState};
use crate::proto::temporarypin::v1 as pb;

pub(super) const fn reason_to_proto(value: Reason) -> pb::Reason {
    match value {
        Reason::InvalidField => pb::Reason::InvalidField,
        Reason::RequestIdReused => pb::Reason::RequestIdReused,
        Reason::CallerUnknown => pb::Reason::CallerUnknown,
        Reason::CallerNotAllowed => pb::Reason::CallerNotAllowed,
        Reason::MethodUnknown => pb::Reason::MethodUnknown,
        Reason::MessageTooLarge => pb::Reason::MessageTooLarge,
        Reason::IdentityNotConfirmed => pb::Reason::IdentityNotConfirmed,
        Reason::InsufficientData => pb::Reason::InsufficientData,
        Reason::LoginNotAccepted => pb::Reason::LoginNotAccepted,
        Reason::LoginTooOld => pb::Reason::LoginTooOld,
        Reason::AssuranceTooLow => pb::Reason::AssuranceTooLow,
        Reason::AgentNotAccepted => pb::Reason::AgentNotAccepted,
        Reason::DocumentNotAccepted => pb::Reason::DocumentNotAccepted,
        Reason::WitnessNotAccepted => pb::Reason::WitnessNotAccepted,
        Reason::WitnessLoginNotAccepted => pb::Reason::WitnessLoginNotAccepted,
        Reason::TooYoung => pb::Reason::TooYoung,
        Reason::PersonDead => pb::Reason::PersonDead,
        Reason::PersonDisappeared => pb::Reason::PersonDisappeared,
        Reason::CprNumberNotValid => pb::Reason::CprNumberNotValid,
        Reason::CounterOnly => pb::Reason::CounterOnly,
        Reason::MitidNotActive => pb::Reason::MitidNotActive,
        Reason::NoMobileNumber => pb::Reason::NoMobileNumber,
        Reason::MobileNumberNotAllowed => pb::Reason::MobileNumberNotAllowed,
        Reason::MobileNumberChangedRecently => pb::Reason::MobileNumberChangedRecently,
        Reason::PersonBlocked => pb::Reason::PersonBlocked,
        Reason::CprStatusUnclear => pb::Reason::CprStatusUnclear,
        Reason::InPersonOnly => pb::Reason::InPersonOnly,
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
        Reason::Overloaded => pb::Reason::Overloaded,
        Reason::Busy => pb::Reason::Busy,
        Reason::WrongTryLimit => pb::Reason::WrongTryLimit,
        Reason::Unavailable => pb::Reason::Unavailable,
        Reason::DeadlineExceeded => pb::Reason::DeadlineExceeded,
        Reason::Internal => pb::Reason::Internal,
    }
}

/// `Some(None)` if the language is not set; `None` if the value is not a language.
pub(in super::super) fn parse_language(value: i32) -> Option<Option<Language>> {
    Some(match pb::Language::try_from(value).ok()? {
        pb::Language::Unspecified => None,
        pb::Language::Da => Some(Language::Da),
        pb::Language::En => Some(Language::En),
        pb::Language::Kl => Some(Language::Kl),
    })
}

pub(super) const fn channel_to_proto(value: Channel) -> pb::Channel {
    match value {
        Channel::Web => pb::Channel::Web,
        Channel::Phone => pb::Channel::Phone,
        Channel::Counter => pb::Channel::Counter,
    }
}

pub(super) const fn pin_state_to_proto(value: PinState) -> pb::pin_request::State {
    match value {
        PinState::Open => pb::pin_request::State::Open,
        PinState::Redeemed => pb::pin_request::State::Redeemed,
        PinState::Expired => pb::pin_request::State::Expired,
        PinState::Revoked => pb::pin_request::State::Revoked,
    }
}

pub(super) const fn dispatch_state_to_proto(value: DispatchState) -> pb::pin_request::DispatchState {
    match value {
        DispatchState::Queued => pb::pin_request::DispatchState::Queued,
        DispatchState::Accepted => pb::pin_request::DispatchState::Accepted,
        DispatchState::Failed => pb::pin_request::DispatchState::Failed,
        DispatchState::Expired => pb::pin_request::DispatchState::Expired,
    }
}

pub(super) const fn assurance_to_proto(value: AssuranceLevel) -> pb::AssuranceLevel {
    match value {
        AssuranceLevel::Low => pb::AssuranceLevel::Low,
        AssuranceLevel::Substantial => pb::AssuranceLevel::Substantial,
        AssuranceLevel::High => pb::AssuranceLevel::High,
    }
}

pub(super) const fn question_kind_to_proto(value: FactKind) -> pb::question::Kind {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_of_the_contract_has_the_same_name_in_the_domain() {
        let contract_names: Vec<&str> = (1..i32::from(u8::MAX))
            .filter_map(|number| pb::Reason::try_from(number).ok())
            .map(|reason| reason.as_str_name())
            .collect();
        let mut reasons: Vec<_> =
            Reason::ALL.iter().map(|reason| (reason_to_proto(*reason), reason.as_str())).collect();
        reasons.sort_by_key(|(proto, _)| *proto as i32);
        let domain_names: Vec<String> = reasons.into_iter().map(|(_, name)| format!("REASON_{name}")).collect();
        assert_eq!(domain_names, contract_names);
    }
}

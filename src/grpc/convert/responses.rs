//! Builds the responses to channels and to the authenticator core.

use std::time::SystemTime;

use chrono::{DateTime, Utc};
use prost_types::Timestamp;

use super::enums;
use crate::domain::channel::Channel;
use crate::domain::eligibility::{ChannelVerdict, EligibilityStatus};
use crate::domain::fact::FactKind;
use crate::domain::hold::{Hold, HoldState};
use crate::domain::language::Language;
use crate::issuance::{ChannelEligibility, Eligibility, PinRequestView, RedeemOutcome, Verification};
use crate::proto::temporarypin::v1 as pb;
use crate::texts::Texts;

/// The eligibility of a person. `caller_channel` gets its reasons and times; of the other channels only the status is told.
pub(in super::super) fn eligibility_to_proto(
    eligibility: &Eligibility,
    caller_channel: Channel,
    now: DateTime<Utc>,
) -> pb::CheckEligibilityResponse {
    pb::CheckEligibilityResponse {
        channels: eligibility
            .channels
            .iter()
            .map(|entry| channel_eligibility_to_proto(entry, caller_channel))
            .collect(),
        access_hold: (caller_channel == Channel::Web).then(|| hold_to_proto(eligibility.hold.as_ref(), now)),
        open_pin_request: eligibility.open_pin_request.as_ref().map(pin_request_to_proto),
    }
}

fn channel_eligibility_to_proto(
    ChannelEligibility { channel, verdict, question_denials }: &ChannelEligibility,
    caller_channel: Channel,
) -> pb::ChannelEligibility {
    let ChannelVerdict { status, reasons, next_attempt_time } = verdict;
    let status = match status {
        EligibilityStatus::Eligible => pb::channel_eligibility::Status::Eligible,
        EligibilityStatus::NotYet => pb::channel_eligibility::Status::NotYet,
        EligibilityStatus::NotEligible => pb::channel_eligibility::Status::NotEligible,
    };
    let mut eligibility = pb::ChannelEligibility {
        channel: enums::channel_to_proto(*channel).into(),
        status: status.into(),
        ..pb::ChannelEligibility::default()
    };
    if *channel == caller_channel {
        eligibility.reasons = reasons.iter().map(|reason| enums::reason_to_proto(*reason).into()).collect();
        eligibility.next_attempt_time = next_attempt_time.map(timestamp_to_proto);
        let questions = ChannelVerdict::from_denials(question_denials.clone());
        eligibility.question_reasons =
            questions.reasons.iter().map(|reason| enums::reason_to_proto(*reason).into()).collect();
        eligibility.next_question_time = questions.next_attempt_time.map(timestamp_to_proto);
    }
    eligibility
}

fn hold_to_proto(hold: Option<&Hold>, now: DateTime<Utc>) -> pb::AccessHold {
    let Some(hold) = hold else {
        return pb::AccessHold { state: pb::access_hold::State::None.into(), ..pb::AccessHold::default() };
    };
    let state = match hold.state(now) {
        HoldState::Running => pb::access_hold::State::Running,
        HoldState::Passed => pb::access_hold::State::Passed,
        HoldState::Expired => pb::access_hold::State::Expired,
    };
    pb::AccessHold {
        state: state.into(),
        request_time: Some(timestamp_to_proto(hold.request_time)),
        eligible_time: Some(timestamp_to_proto(hold.eligible_time)),
        expire_time: Some(timestamp_to_proto(hold.expire_time)),
    }
}

/// The result of a verification, with the questions in the person's language.
pub(in super::super) fn verification_to_proto(
    verification: Verification,
    texts: &Texts,
    now: DateTime<Utc>,
) -> pb::VerifyIdentityResponse {
    use pb::verify_identity_response::State;
    match verification {
        Verification::Verified { id, assurance, expire_time, hold } => pb::VerifyIdentityResponse {
            verification_id: id,
            state: State::Verified.into(),
            assurance_level: enums::assurance_to_proto(assurance).into(),
            expire_time: Some(timestamp_to_proto(expire_time)),
            access_hold: hold.map(|hold| hold_to_proto(Some(&hold), now)),
            ..pb::VerifyIdentityResponse::default()
        },
        Verification::QuestionsPending { id, questions, language, expire_time } => pb::VerifyIdentityResponse {
            verification_id: id,
            state: State::QuestionsPending.into(),
            questions: questions.into_iter().map(|kind| question_to_proto(kind, texts, language)).collect(),
            expire_time: Some(timestamp_to_proto(expire_time)),
            ..pb::VerifyIdentityResponse::default()
        },
        Verification::Rejected(reason) => pb::VerifyIdentityResponse {
            state: State::Rejected.into(),
            reasons: vec![enums::reason_to_proto(reason).into()],
            ..pb::VerifyIdentityResponse::default()
        },
    }
}

fn question_to_proto(kind: FactKind, texts: &Texts, language: Language) -> pb::Question {
    pb::Question {
        question_id: kind.as_str().into(),
        kind: enums::question_kind_to_proto(kind).into(),
        prompt: texts.render_question(kind, language),
    }
}

/// A PIN request, without the PIN.
pub(in super::super) fn pin_request_to_proto(view: &PinRequestView) -> pb::PinRequest {
    pb::PinRequest {
        id: view.id.to_string(),
        state: enums::pin_state_to_proto(view.state).into(),
        channel: enums::channel_to_proto(view.channel).into(),
        create_time: Some(timestamp_to_proto(view.create_time)),
        expire_time: Some(timestamp_to_proto(view.expire_time)),
        masked_mobile_number: view.masked_mobile_number.clone(),
        dispatch_state: enums::dispatch_state_to_proto(view.dispatch_state).into(),
        next_send_time: view.next_send_time.map(timestamp_to_proto),
    }
}

/// The outcome of an attempt to redeem a PIN.
pub(in super::super) fn redemption_to_proto(outcome: &RedeemOutcome) -> pb::RedeemTemporaryPinResponse {
    use pb::redeem_temporary_pin_response::Outcome;
    let (outcome, attempts_left, next_attempt_time) = match outcome {
        RedeemOutcome::Redeemed => (Outcome::Redeemed, 0, None),
        RedeemOutcome::WrongPin { left } => (Outcome::WrongPin, *left, None),
        RedeemOutcome::NoOpenPin => (Outcome::NoOpenPin, 0, None),
        RedeemOutcome::Revoked => (Outcome::Revoked, 0, None),
        RedeemOutcome::BudgetExhausted { until } => (Outcome::BudgetExhausted, 0, *until),
    };
    pb::RedeemTemporaryPinResponse {
        outcome: outcome.into(),
        attempts_left: attempts_left.try_into().unwrap_or(i32::MAX),
        next_attempt_time: next_attempt_time.map(timestamp_to_proto),
    }
}

pub(super) fn timestamp_to_proto(time: DateTime<Utc>) -> Timestamp {
    SystemTime::from(time).into()
}

//! Answers.

use std::time::SystemTime;

use chrono::{DateTime, Utc};
use prost_types::Timestamp;

use super::names;
use crate::domain::channel::Channel;
use crate::domain::eligibility::{ChannelVerdict, EligibilityStatus};
use crate::domain::fact::FactKind;
use crate::domain::hold::{Hold, HoldState};
use crate::domain::language::Language;
use crate::issuance::{ChannelEligibility, Eligibility, PinRequestView, RedeemOutcome, Verification};
use crate::proto::temporarypin::v1 as pb;
use crate::texts::Texts;

/// The caller's own channel in full, the others with the status alone.
pub(in super::super) fn eligibility(
    eligibility: &Eligibility,
    own: Channel,
    now: DateTime<Utc>,
) -> pb::CheckEligibilityResponse {
    pb::CheckEligibilityResponse {
        channels: eligibility.channels.iter().map(|entry| channel(entry, own)).collect(),
        access_hold: (own == Channel::Web).then(|| access_hold(eligibility.hold.as_ref(), now)),
        open_pin_request: eligibility.open_pin_request.as_ref().map(pin_request),
    }
}

fn channel(ChannelEligibility { channel, verdict }: &ChannelEligibility, own: Channel) -> pb::ChannelEligibility {
    let ChannelVerdict { status, reasons, next_attempt_time } = verdict;
    let status = match status {
        EligibilityStatus::Eligible => pb::channel_eligibility::Status::Eligible,
        EligibilityStatus::NotYet => pb::channel_eligibility::Status::NotYet,
        EligibilityStatus::NotEligible => pb::channel_eligibility::Status::NotEligible,
    };
    let mut answer = pb::ChannelEligibility {
        channel: names::channel(*channel).into(),
        status: status.into(),
        ..pb::ChannelEligibility::default()
    };
    if *channel == own {
        answer.reasons = reasons.iter().map(|reason| names::reason(*reason).into()).collect();
        answer.next_attempt_time = next_attempt_time.map(timestamp);
    }
    answer
}

fn access_hold(hold: Option<&Hold>, now: DateTime<Utc>) -> pb::AccessHold {
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
        request_time: Some(timestamp(hold.request_time)),
        eligible_time: Some(timestamp(hold.eligible_time)),
        expire_time: Some(timestamp(hold.expire_time)),
    }
}

/// What came of a verification, with the questions in the person's language.
pub(in super::super) fn verification(
    verification: Verification,
    texts: &Texts,
    now: DateTime<Utc>,
) -> pb::VerifyIdentityResponse {
    use pb::verify_identity_response::State;
    match verification {
        Verification::Verified { id, assurance, expire_time, hold } => pb::VerifyIdentityResponse {
            verification_id: id,
            state: State::Verified.into(),
            assurance_level: names::assurance(assurance).into(),
            expire_time: Some(timestamp(expire_time)),
            access_hold: hold.map(|hold| access_hold(Some(&hold), now)),
            ..pb::VerifyIdentityResponse::default()
        },
        Verification::QuestionsPending { id, questions, language, expire_time } => pb::VerifyIdentityResponse {
            verification_id: id,
            state: State::QuestionsPending.into(),
            questions: questions.into_iter().map(|kind| question(kind, texts, language)).collect(),
            expire_time: Some(timestamp(expire_time)),
            ..pb::VerifyIdentityResponse::default()
        },
        Verification::Rejected(reason) => pb::VerifyIdentityResponse {
            state: State::Rejected.into(),
            reasons: vec![names::reason(reason).into()],
            ..pb::VerifyIdentityResponse::default()
        },
    }
}

fn question(kind: FactKind, texts: &Texts, language: Language) -> pb::Question {
    pb::Question {
        question_id: kind.as_str().into(),
        kind: names::question_kind(kind).into(),
        prompt: texts.render_question(kind, language),
    }
}

/// A PIN request, without the PIN.
pub(in super::super) fn pin_request(view: &PinRequestView) -> pb::PinRequest {
    pb::PinRequest {
        id: view.id.to_string(),
        state: names::pin_state(view.state).into(),
        channel: names::channel(view.channel).into(),
        create_time: Some(timestamp(view.create_time)),
        expire_time: Some(timestamp(view.expire_time)),
        masked_mobile_number: view.masked_mobile_number.clone(),
        dispatch_state: names::dispatch_state(view.dispatch_state).into(),
        next_send_time: view.next_send_time.map(timestamp),
    }
}

/// The outcome of a try.
pub(in super::super) fn redemption(redemption: &RedeemOutcome) -> pb::RedeemTemporaryPinResponse {
    use pb::redeem_temporary_pin_response::Outcome;
    let (outcome, attempts_left) = match redemption {
        RedeemOutcome::Redeemed => (Outcome::Redeemed, 0),
        RedeemOutcome::WrongPin { left } => (Outcome::WrongPin, *left),
        RedeemOutcome::NoOpenPin => (Outcome::NoOpenPin, 0),
        RedeemOutcome::Revoked => (Outcome::Revoked, 0),
        RedeemOutcome::BudgetExhausted => (Outcome::BudgetExhausted, 0),
    };
    pb::RedeemTemporaryPinResponse {
        outcome: outcome.into(),
        attempts_left: attempts_left.try_into().unwrap_or(i32::MAX),
    }
}

pub(super) fn timestamp(time: DateTime<Utc>) -> Timestamp {
    SystemTime::from(time).into()
}

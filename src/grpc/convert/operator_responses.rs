//! Builds the responses to operators.

use super::enums;
use super::responses::timestamp_to_proto;
use crate::domain::audit::{Action, ProcessingPurpose};
use crate::domain::person_limit::PersonLimit;
use crate::issuance::{
    AccessRequestRecord, AccessState, AuditEvent, Blocking, LimitStatus, Notified, PersonBlock, PinRequestRecord,
};
use crate::proto::temporarypin::v1 as pb;

/// A PIN request as operators see it.
pub(in super::super) fn pin_request_record_to_proto(record: PinRequestRecord) -> pb::PinRequestRecord {
    pb::PinRequestRecord {
        pin_request: Some(pb::PinRequest {
            id: record.id.to_string(),
            state: enums::pin_state_to_proto(record.state).into(),
            channel: enums::channel_to_proto(record.channel).into(),
            create_time: Some(timestamp_to_proto(record.create_time)),
            expire_time: Some(timestamp_to_proto(record.expire_time)),
            masked_mobile_number: record.masked_mobile_number,
            dispatch_state: record.dispatch_state.map(enums::dispatch_state_to_proto).unwrap_or_default().into(),
            next_send_time: None,
        }),
        tries: record.tries.try_into().unwrap_or(i32::MAX),
        close_time: record.close_time.map(timestamp_to_proto),
        revoke_reason: record.revoke_reason.unwrap_or_default(),
    }
}

pub(in super::super) fn access_request_record_to_proto(record: &AccessRequestRecord) -> pb::AccessRequestRecord {
    use pb::access_request_record::State;
    let state = match record.state {
        AccessState::Open => State::Open,
        AccessState::Used => State::Used,
        AccessState::Cancelled => State::Cancelled,
        AccessState::Expired => State::Expired,
    };
    pb::AccessRequestRecord {
        id: record.id.to_string(),
        state: state.into(),
        request_time: Some(timestamp_to_proto(record.hold.request_time)),
        eligible_time: Some(timestamp_to_proto(record.hold.eligible_time)),
        expire_time: Some(timestamp_to_proto(record.hold.expire_time)),
        close_time: record.close_time.map(timestamp_to_proto),
    }
}

/// A limit of a person and how much of it is spent.
pub(in super::super) fn limit_status_to_proto(status: &LimitStatus) -> pb::LimitStatus {
    let (limit, channel) = match status.limit {
        PersonLimit::WrongTries => (pb::PersonLimit::WrongTries, None),
        PersonLimit::FailedVerifications(channel) => (pb::PersonLimit::FailedVerifications, Some(channel)),
        PersonLimit::PersonPins => (pb::PersonLimit::PersonPins, None),
        PersonLimit::MobilePins => (pb::PersonLimit::MobilePins, None),
    };
    pb::LimitStatus {
        limit: limit.into(),
        channel: channel.map_or(pb::Channel::Unspecified, enums::channel_to_proto).into(),
        spent: status.spent.times.try_into().unwrap_or(i32::MAX),
        of: status.of.try_into().unwrap_or(i32::MAX),
        next_attempt_time: status.spent.full_until.map(timestamp_to_proto),
    }
}

/// The block of a person, `None` if the person is not blocked.
pub(in super::super) fn block_to_proto(block: Option<PersonBlock>) -> pb::GetPersonBlockResponse {
    use pb::get_person_block_response::State;
    match block {
        None => pb::GetPersonBlockResponse { state: State::NotBlocked.into(), ..pb::GetPersonBlockResponse::default() },
        Some(block) => pb::GetPersonBlockResponse {
            state: State::Blocked.into(),
            block_time: Some(timestamp_to_proto(block.block_time)),
            block_reason: block.reason,
        },
    }
}

/// The outcome of revoking a PIN. `None` if the person has no open PIN.
pub(in super::super) fn revocation_to_proto(notified: Option<Notified>) -> pb::RevokeTemporaryPinResponse {
    use pb::revoke_temporary_pin_response::Outcome;
    let outcome = if notified.is_some() { Outcome::Revoked } else { Outcome::NoOpenPin };
    pb::RevokeTemporaryPinResponse { outcome: outcome.into(), notice: notice_to_proto(notified) }
}

/// The outcome of cancelling an access request. `None` if the person has no open one.
pub(in super::super) fn cancellation_to_proto(notified: Option<Notified>) -> pb::CancelAccessRequestResponse {
    use pb::cancel_access_request_response::Outcome;
    let outcome = if notified.is_some() { Outcome::Cancelled } else { Outcome::NoOpenRequest };
    pb::CancelAccessRequestResponse { outcome: outcome.into(), notice: notice_to_proto(notified) }
}

/// The outcome of blocking a person, who may have been blocked before.
pub(in super::super) fn blocking_to_proto(blocking: &Blocking) -> pb::BlockPersonResponse {
    use pb::block_person_response::Outcome;
    let outcome = if blocking.is_new { Outcome::Blocked } else { Outcome::AlreadyBlocked };
    pb::BlockPersonResponse { outcome: outcome.into(), notice: notice_to_proto(blocking.notified) }
}

/// The outcome of unblocking a person.
pub(in super::super) fn unblocking_to_proto(was_blocked: bool) -> pb::UnblockPersonResponse {
    use pb::unblock_person_response::Outcome;
    let outcome = if was_blocked { Outcome::Unblocked } else { Outcome::NotBlocked };
    pb::UnblockPersonResponse { outcome: outcome.into() }
}

/// Whether the SMS that notifies the person was queued. `None` if there was nothing to notify of.
fn notice_to_proto(notified: Option<Notified>) -> i32 {
    match notified {
        None => pb::Notice::Unspecified,
        Some(Notified::Queued) => pb::Notice::Queued,
        Some(Notified::NotSent) => pb::Notice::NotSent,
    }
    .into()
}

/// An audit event with the fields that its person may see.
pub(in super::super) fn audit_event_to_proto(event: AuditEvent) -> pb::AuditEvent {
    pb::AuditEvent {
        event_time: Some(timestamp_to_proto(event.event_time)),
        action: event.action.map(action_to_proto).unwrap_or_default().into(),
        purpose: event.purpose.map(purpose_to_proto).unwrap_or_default().into(),
        channel: event.channel.map(enums::channel_to_proto).unwrap_or_default().into(),
        reason: event.reason,
    }
}

const fn action_to_proto(value: Action) -> pb::audit_event::Action {
    use pb::audit_event::Action as ProtoAction;
    match value {
        Action::IdentityVerified => ProtoAction::IdentityVerified,
        Action::IdentityRejected => ProtoAction::IdentityRejected,
        Action::QuestionsAsked => ProtoAction::QuestionsAsked,
        Action::Witnessed => ProtoAction::Witnessed,
        Action::ClerkNotCompared => ProtoAction::ClerkNotCompared,
        Action::AccessRequested => ProtoAction::AccessRequested,
        Action::AccessCancelled => ProtoAction::AccessCancelled,
        Action::PinIssued => ProtoAction::PinIssued,
        Action::PinResent => ProtoAction::PinResent,
        Action::PinAlreadyOpen => ProtoAction::PinAlreadyOpen,
        Action::PinRedeemed => ProtoAction::PinRedeemed,
        Action::PinRefused => ProtoAction::PinRefused,
        Action::PinRevoked => ProtoAction::PinRevoked,
        Action::PersonBlocked => ProtoAction::PersonBlocked,
        Action::PersonUnblocked => ProtoAction::PersonUnblocked,
        Action::LimitReset => ProtoAction::LimitReset,
        Action::PinRequestsLookedUp => ProtoAction::PinRequestsLookedUp,
        Action::AccessRequestsLookedUp => ProtoAction::AccessRequestsLookedUp,
        Action::LimitsLookedUp => ProtoAction::LimitsLookedUp,
        Action::BlockLookedUp => ProtoAction::BlockLookedUp,
        Action::AuditEventsLookedUp => ProtoAction::AuditEventsLookedUp,
    }
}

const fn purpose_to_proto(value: ProcessingPurpose) -> pb::audit_event::Purpose {
    use pb::audit_event::Purpose as ProtoPurpose;
    match value {
        ProcessingPurpose::Identification => ProtoPurpose::Identification,
        ProcessingPurpose::Issuance => ProtoPurpose::Issuance,
        ProcessingPurpose::Redemption => ProtoPurpose::Redemption,
        ProcessingPurpose::Operation => ProtoPurpose::Operation,
    }
}

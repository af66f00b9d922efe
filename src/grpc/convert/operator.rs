//! Operators' requests and answers.

use tonic::Status;

use super::answer::timestamp;
use super::{Violations, names, person};
use crate::domain::audit::{Action, ProcessingPurpose};
use crate::domain::person::PersonReference;
use crate::domain::person_limit::PersonLimit;
use crate::domain::stated_reason::StatedReason;
use crate::issuance::{AccessRequestRecord, AccessState, AuditEvent, Block, LimitStatus, Notified, PinRequestRecord};
use crate::proto::temporarypin::v1 as pb;

/// With the longest reasons it fits into a message.
const LARGEST_PAGE: usize = 50;

/// Person and reason, which most requests consist of.
pub(in super::super) fn person_and_reason(
    reference: Option<pb::PersonReference>,
    reason: &str,
) -> Result<(PersonReference, StatedReason), Status> {
    let mut violations = Violations::default();
    let reference = person(&mut violations, "person", reference);
    let reason = self::reason(&mut violations, reason);
    violations.finish(reference.zip(reason))
}

/// Why the operator looks or acts.
pub(in super::super) fn reason(violations: &mut Violations, text: &str) -> Option<StatedReason> {
    violations.take("reason", StatedReason::parse(text))
}

/// Most audit events on a page: 1 to 50; 0 stands for the most.
pub(in super::super) fn page_size(violations: &mut Violations, value: i32) -> Option<usize> {
    match value {
        0 => Some(LARGEST_PAGE),
        _ => {
            let size = usize::try_from(value).ok().filter(|size| *size <= LARGEST_PAGE);
            violations
                .take("page_size", size.ok_or_else(|| format!("must be at most {LARGEST_PAGE}, and not negative")))
        }
    }
}

/// A limit, which must be named.
pub(in super::super) fn limit(violations: &mut Violations, value: i32) -> Option<PersonLimit> {
    let limit = match pb::PersonLimit::try_from(value) {
        Ok(pb::PersonLimit::WrongTries) => Ok(PersonLimit::WrongTries),
        Ok(pb::PersonLimit::FailedVerifications) => Ok(PersonLimit::FailedVerifications),
        Ok(pb::PersonLimit::PersonPins) => Ok(PersonLimit::PersonPins),
        Ok(pb::PersonLimit::MobilePins) => Ok(PersonLimit::MobilePins),
        Ok(pb::PersonLimit::Unspecified) => Err("is required"),
        Err(_) => Err("must be a PERSON_LIMIT_… of the contract"),
    };
    violations.take("limit", limit)
}

/// A PIN request.
pub(in super::super) fn pin_request_record(record: PinRequestRecord) -> pb::PinRequestRecord {
    pb::PinRequestRecord {
        pin_request: Some(pb::PinRequest {
            id: record.id.to_string(),
            state: names::pin_state(record.state).into(),
            channel: names::channel(record.channel).into(),
            create_time: Some(timestamp(record.create_time)),
            expire_time: Some(timestamp(record.expire_time)),
            masked_mobile_number: record.masked_mobile_number,
            dispatch_state: record.dispatch_state.map(names::dispatch_state).unwrap_or_default().into(),
            next_send_time: None,
        }),
        tries: record.tries.try_into().unwrap_or(i32::MAX),
        close_time: record.close_time.map(timestamp),
        revoke_reason: record.revoke_reason.unwrap_or_default(),
    }
}

/// A request for access.
pub(in super::super) fn access_request_record(record: &AccessRequestRecord) -> pb::AccessRequestRecord {
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
        request_time: Some(timestamp(record.hold.request_time)),
        eligible_time: Some(timestamp(record.hold.eligible_time)),
        expire_time: Some(timestamp(record.hold.expire_time)),
        close_time: record.close_time.map(timestamp),
    }
}

/// What is spent of a limit.
pub(in super::super) fn limit_status(status: &LimitStatus) -> pb::LimitStatus {
    let limit = match status.limit {
        PersonLimit::WrongTries => pb::PersonLimit::WrongTries,
        PersonLimit::FailedVerifications => pb::PersonLimit::FailedVerifications,
        PersonLimit::PersonPins => pb::PersonLimit::PersonPins,
        PersonLimit::MobilePins => pb::PersonLimit::MobilePins,
    };
    pb::LimitStatus {
        limit: limit.into(),
        spent: status.spent.times.try_into().unwrap_or(i32::MAX),
        of: status.of.try_into().unwrap_or(i32::MAX),
        next_attempt_time: status.spent.full_until.map(timestamp),
    }
}

/// Whether the person is blocked.
pub(in super::super) fn block(block: Option<Block>) -> pb::GetPersonBlockResponse {
    use pb::get_person_block_response::State;
    match block {
        None => pb::GetPersonBlockResponse { state: State::NotBlocked.into(), ..pb::GetPersonBlockResponse::default() },
        Some(block) => pb::GetPersonBlockResponse {
            state: State::Blocked.into(),
            block_time: Some(timestamp(block.block_time)),
            block_reason: block.reason,
        },
    }
}

/// What became of the SMS.
pub(in super::super) fn notice(notified: Option<Notified>) -> i32 {
    match notified {
        None => pb::Notice::Unspecified,
        Some(Notified::Queued) => pb::Notice::Queued,
        Some(Notified::NotSent) => pb::Notice::NotSent,
    }
    .into()
}

/// An event, as its person may have it.
pub(in super::super) fn audit_event(event: AuditEvent) -> pb::AuditEvent {
    pb::AuditEvent {
        event_time: Some(timestamp(event.event_time)),
        action: event.action.map(action).unwrap_or_default().into(),
        purpose: event.purpose.map(purpose).unwrap_or_default().into(),
        channel: event.channel.map(names::channel).unwrap_or_default().into(),
        reason: event.reason,
    }
}

const fn action(value: Action) -> pb::audit_event::Action {
    use pb::audit_event::Action as Wire;
    match value {
        Action::IdentityVerified => Wire::IdentityVerified,
        Action::IdentityRejected => Wire::IdentityRejected,
        Action::QuestionsAsked => Wire::QuestionsAsked,
        Action::AccessRequested => Wire::AccessRequested,
        Action::AccessCancelled => Wire::AccessCancelled,
        Action::PinIssued => Wire::PinIssued,
        Action::PinResent => Wire::PinResent,
        Action::PinAlreadyOpen => Wire::PinAlreadyOpen,
        Action::PinRedeemed => Wire::PinRedeemed,
        Action::PinRefused => Wire::PinRefused,
        Action::PinRevoked => Wire::PinRevoked,
        Action::PersonBlocked => Wire::PersonBlocked,
        Action::PersonUnblocked => Wire::PersonUnblocked,
        Action::LimitReset => Wire::LimitReset,
        Action::PinRequestsLookedUp => Wire::PinRequestsLookedUp,
        Action::AccessRequestsLookedUp => Wire::AccessRequestsLookedUp,
        Action::LimitsLookedUp => Wire::LimitsLookedUp,
        Action::BlockLookedUp => Wire::BlockLookedUp,
        Action::AuditEventsLookedUp => Wire::AuditEventsLookedUp,
    }
}

const fn purpose(value: ProcessingPurpose) -> pb::audit_event::Purpose {
    use pb::audit_event::Purpose as Wire;
    match value {
        ProcessingPurpose::Identification => Wire::Identification,
        ProcessingPurpose::Issuance => Wire::Issuance,
        ProcessingPurpose::Redemption => Wire::Redemption,
        ProcessingPurpose::Operation => Wire::Operation,
    }
}

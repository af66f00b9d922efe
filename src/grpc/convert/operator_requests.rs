//! Reads the fields of operators' requests.

use tonic::Status;

use super::{Violations, parse_person};
use crate::domain::channel::Channel;
use crate::domain::person::PersonReference;
use crate::domain::person_limit::PersonLimit;
use crate::domain::stated_reason::StatedReason;
use crate::proto::temporarypin::v1 as pb;

/// Most audit events on a page. A page of events with the longest reasons still fits into a message.
const MAX_PAGE_SIZE: usize = 50;

/// Parses a person and a reason, the only fields of most requests.
pub(in super::super) fn parse_person_and_reason(
    reference: Option<pb::PersonReference>,
    reason: &str,
) -> Result<(PersonReference, StatedReason), Status> {
    let mut violations = Violations::default();
    let reference = parse_person(&mut violations, "person", reference);
    let reason = parse_reason(&mut violations, reason);
    violations.into_result(reference.zip(reason))
}

/// Parses the operator's reason to look up or to act.
pub(in super::super) fn parse_reason(violations: &mut Violations, text: &str) -> Option<StatedReason> {
    violations.ok_or_add("reason", StatedReason::parse(text))
}

/// Parses the size of a page: 1 to [`MAX_PAGE_SIZE`] events; 0 means the maximum.
pub(in super::super) fn parse_page_size(violations: &mut Violations, value: i32) -> Option<usize> {
    match value {
        0 => Some(MAX_PAGE_SIZE),
        _ => {
            let size = usize::try_from(value).ok().filter(|size| *size <= MAX_PAGE_SIZE);
            violations.ok_or_add(
                "page_size",
                size.ok_or_else(|| format!("must be at most {MAX_PAGE_SIZE}, and not negative")),
            )
        }
    }
}

/// Parses a limit, which is required.
pub(in super::super) fn parse_limit(violations: &mut Violations, value: i32) -> Option<PersonLimit> {
    let limit = match pb::PersonLimit::try_from(value) {
        Ok(pb::PersonLimit::WrongTries) => Ok(PersonLimit::WrongTries),
        // Either channel: they are reset together.
        Ok(pb::PersonLimit::FailedVerifications) => Ok(PersonLimit::FailedVerifications(Channel::Phone)),
        Ok(pb::PersonLimit::PersonPins) => Ok(PersonLimit::PersonPins),
        Ok(pb::PersonLimit::MobilePins) => Ok(PersonLimit::MobilePins),
        Ok(pb::PersonLimit::Unspecified) => Err("is required"),
        Err(_) => Err("must be a PERSON_LIMIT_… of the contract"),
    };
    violations.ok_or_add("limit", limit)
}

//! Calls of the operators' service.

use temporary_pin::proto::temporarypin::v1 as pb;
use temporary_pin::proto::temporarypin::v1::{PersonLimit, PersonReference};

use crate::calls::{Answer, answer, request_from};
use crate::person::Person;
use crate::world::World;

/// The reason that operators state in tests where any reason will do.
pub const REASON: &str = "Kunden ringer og siger nej, CASE-2041";

/// Whether the text, in Danish or English, says that a PIN was revoked.
pub fn says_pin_was_revoked(text: &str) -> bool {
    text.contains("PIN-kode er spærret") || text.contains("PIN code has been revoked")
}

/// Whether the text, in Danish or English, says that a request for access was cancelled.
pub fn says_access_was_cancelled(text: &str) -> bool {
    text.contains("PIN-kode er annulleret") || text.contains("PIN code has been cancelled")
}

/// Defines a method for each RPC that takes a person and a reason.
macro_rules! operator_calls {
    ($($name:ident: $request:ident -> $response:ident,)+) => {
        impl World {
            $(
                pub async fn $name(&self, person: PersonReference) -> Answer<pb::$response> {
                    #[allow(clippy::needless_update, reason = "some requests have no more fields than these")]
                    let request = pb::$request { person: Some(person), reason: REASON.into(), ..Default::default() };
                    answer(self.operator_service().$name(request_from("operator", request)).await)
                }
            )+
        }
    };
}

operator_calls! {
    list_pin_requests: ListPinRequestsRequest -> ListPinRequestsResponse,
    list_access_requests: ListAccessRequestsRequest -> ListAccessRequestsResponse,
    list_limits: ListLimitsRequest -> ListLimitsResponse,
    get_person_block: GetPersonBlockRequest -> GetPersonBlockResponse,
    list_audit_events: ListAuditEventsRequest -> ListAuditEventsResponse,
    revoke_temporary_pin: RevokeTemporaryPinRequest -> RevokeTemporaryPinResponse,
    cancel_access_request: CancelAccessRequestRequest -> CancelAccessRequestResponse,
    block_person: BlockPersonRequest -> BlockPersonResponse,
    unblock_person: UnblockPersonRequest -> UnblockPersonResponse,
}

impl World {
    /// Resets a limit. Panics if that fails.
    pub async fn reset_limit(&self, person: &Person, limit: PersonLimit) -> pb::LimitStatus {
        self.try_reset_limit(person.reference(), limit).await.unwrap().limit.unwrap()
    }

    pub async fn try_reset_limit(&self, person: PersonReference, limit: PersonLimit) -> Answer<pb::ResetLimitResponse> {
        let request = pb::ResetLimitRequest { person: Some(person), limit: limit.into(), reason: REASON.into() };
        answer(self.operator_service().reset_limit(request_from("operator", request)).await)
    }

    /// The actions of the person's audit events, newest first.
    pub async fn actions(&self, person: &Person) -> Vec<pb::audit_event::Action> {
        let page = self.list_audit_events(person.reference()).await.unwrap();
        assert_eq!(page.next_page_token, "");
        page.audit_events.iter().map(pb::AuditEvent::action).collect()
    }
}

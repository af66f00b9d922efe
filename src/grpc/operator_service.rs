//! `temporarypin.v1.OperatorService`: the interface for operators.

use std::sync::Arc;

use tonic::{Request, Response, Status};

use super::convert::{self, Violations};
use super::service_context::ServiceContext;
use crate::domain::person::PersonReference;
use crate::issuance::{Issuance, Operation, Refusal};
use crate::proto::temporarypin::v1 as pb;
use crate::proto::temporarypin::v1::operator_service_server::OperatorService;

/// Handles the calls of operators.
pub(super) struct OperatorHandler(pub(super) Arc<ServiceContext>);

impl OperatorHandler {
    /// Runs an operation on a person for a reason, which most calls are.
    async fn run_on_person<Q, A, F>(
        &self,
        request: Request<Q>,
        fields: impl FnOnce(Q) -> (Option<pb::PersonReference>, String),
        use_case: impl FnOnce(Issuance, Operation, PersonReference) -> F,
    ) -> Result<Response<A>, Status>
    where
        A: prost::Message + 'static,
        F: Future<Output = Result<A, Refusal>> + Send + 'static,
    {
        let (caller, now) = self.0.start_call(&request)?;
        let (person, reason) = fields(request.into_inner());
        let (person, reason) = convert::parse_person_and_reason(person, &reason)?;
        let operation = Operation { operator: caller.name, reason, now };
        self.0.run_use_case(now, use_case(self.0.issuance(), operation, person)).await
    }
}

#[tonic::async_trait]
impl OperatorService for OperatorHandler {
    async fn list_pin_requests(
        &self,
        request: Request<pb::ListPinRequestsRequest>,
    ) -> Result<Response<pb::ListPinRequestsResponse>, Status> {
        self.run_on_person(
            request,
            |request| (request.person, request.reason),
            |issuance, operation, person| async move {
                let records = issuance.operator_desk(&operation).list_pin_requests(&person).await?;
                let pin_requests = records.into_iter().map(convert::pin_request_record_to_proto).collect();
                Ok(pb::ListPinRequestsResponse { pin_requests })
            },
        )
        .await
    }

    async fn get_pin_request(
        &self,
        request: Request<pb::GetPinRequestRequest>,
    ) -> Result<Response<pb::GetPinRequestResponse>, Status> {
        let (caller, now) = self.0.start_call(&request)?;
        let request = request.into_inner();
        let mut violations = Violations::default();
        let id = violations.parse_uuid("pin_request_id", &request.pin_request_id);
        let reason = convert::parse_reason(&mut violations, &request.reason);
        let (id, reason) = violations.into_result(id.zip(reason))?;

        let issuance = self.0.issuance();
        let operation = Operation { operator: caller.name, reason, now };
        self.0
            .run_use_case(now, async move {
                let record = issuance.operator_desk(&operation).get_pin_request(id).await?;
                Ok(pb::GetPinRequestResponse { pin_request: record.map(convert::pin_request_record_to_proto) })
            })
            .await
    }

    async fn list_access_requests(
        &self,
        request: Request<pb::ListAccessRequestsRequest>,
    ) -> Result<Response<pb::ListAccessRequestsResponse>, Status> {
        self.run_on_person(
            request,
            |request| (request.person, request.reason),
            |issuance, operation, person| async move {
                let records = issuance.operator_desk(&operation).list_access_requests(&person).await?;
                let access_requests = records.iter().map(convert::access_request_record_to_proto).collect();
                Ok(pb::ListAccessRequestsResponse { access_requests })
            },
        )
        .await
    }

    async fn list_limits(
        &self,
        request: Request<pb::ListLimitsRequest>,
    ) -> Result<Response<pb::ListLimitsResponse>, Status> {
        self.run_on_person(
            request,
            |request| (request.person, request.reason),
            |issuance, operation, person| async move {
                let limits = issuance.operator_desk(&operation).list_limits(&person).await?;
                Ok(pb::ListLimitsResponse { limits: limits.iter().map(convert::limit_status_to_proto).collect() })
            },
        )
        .await
    }

    async fn get_person_block(
        &self,
        request: Request<pb::GetPersonBlockRequest>,
    ) -> Result<Response<pb::GetPersonBlockResponse>, Status> {
        self.run_on_person(
            request,
            |request| (request.person, request.reason),
            |issuance, operation, person| async move {
                Ok(convert::block_to_proto(issuance.operator_desk(&operation).get_person_block(&person).await?))
            },
        )
        .await
    }

    async fn list_audit_events(
        &self,
        request: Request<pb::ListAuditEventsRequest>,
    ) -> Result<Response<pb::ListAuditEventsResponse>, Status> {
        let (caller, now) = self.0.start_call(&request)?;
        let request = request.into_inner();
        let mut violations = Violations::default();
        let person = convert::parse_person(&mut violations, "person", request.person);
        let reason = convert::parse_reason(&mut violations, &request.reason);
        let page_size = convert::parse_page_size(&mut violations, request.page_size);
        let ((person, reason), page_size) = violations.into_result(person.zip(reason).zip(page_size))?;

        let issuance = self.0.issuance();
        let operation = Operation { operator: caller.name, reason, now };
        self.0
            .run_use_case(now, async move {
                let page = issuance
                    .operator_desk(&operation)
                    .list_audit_events(&person, page_size, &request.page_token)
                    .await?;
                Ok(pb::ListAuditEventsResponse {
                    audit_events: page.events.into_iter().map(convert::audit_event_to_proto).collect(),
                    next_page_token: page.next,
                })
            })
            .await
    }

    async fn revoke_temporary_pin(
        &self,
        request: Request<pb::RevokeTemporaryPinRequest>,
    ) -> Result<Response<pb::RevokeTemporaryPinResponse>, Status> {
        self.run_on_person(
            request,
            |request| (request.person, request.reason),
            |issuance, operation, person| async move {
                let notified = issuance.operator_desk(&operation).revoke_temporary_pin(&person).await?;
                Ok(convert::revocation_to_proto(notified))
            },
        )
        .await
    }

    async fn cancel_access_request(
        &self,
        request: Request<pb::CancelAccessRequestRequest>,
    ) -> Result<Response<pb::CancelAccessRequestResponse>, Status> {
        self.run_on_person(
            request,
            |request| (request.person, request.reason),
            |issuance, operation, person| async move {
                let notified = issuance.operator_desk(&operation).cancel_access_request(&person).await?;
                Ok(convert::cancellation_to_proto(notified))
            },
        )
        .await
    }

    async fn block_person(
        &self,
        request: Request<pb::BlockPersonRequest>,
    ) -> Result<Response<pb::BlockPersonResponse>, Status> {
        self.run_on_person(
            request,
            |request| (request.person, request.reason),
            |issuance, operation, person| async move {
                let blocking = issuance.operator_desk(&operation).block_person(&person).await?;
                Ok(convert::blocking_to_proto(&blocking))
            },
        )
        .await
    }

    async fn unblock_person(
        &self,
        request: Request<pb::UnblockPersonRequest>,
    ) -> Result<Response<pb::UnblockPersonResponse>, Status> {
        self.run_on_person(
            request,
            |request| (request.person, request.reason),
            |issuance, operation, person| async move {
                let was_blocked = issuance.operator_desk(&operation).unblock_person(&person).await?;
                Ok(convert::unblocking_to_proto(was_blocked))
            },
        )
        .await
    }

    async fn reset_limit(
        &self,
        request: Request<pb::ResetLimitRequest>,
    ) -> Result<Response<pb::ResetLimitResponse>, Status> {
        let (caller, now) = self.0.start_call(&request)?;
        let request = request.into_inner();
        let mut violations = Violations::default();
        let person = convert::parse_person(&mut violations, "person", request.person);
        let limit = convert::parse_limit(&mut violations, request.limit);
        let reason = convert::parse_reason(&mut violations, &request.reason);
        let ((person, limit), reason) = violations.into_result(person.zip(limit).zip(reason))?;

        let issuance = self.0.issuance();
        let operation = Operation { operator: caller.name, reason, now };
        self.0
            .run_use_case(now, async move {
                let status = issuance.operator_desk(&operation).reset_limit(&person, limit).await?;
                Ok(pb::ResetLimitResponse { limit: Some(convert::limit_status_to_proto(&status)) })
            })
            .await
    }
}
